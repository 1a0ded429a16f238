//! What every harness in Rust shares: the size asked for, and the line that is printed.

/// Seconds of processor time of this thread.
fn processor_secs() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux");
    let nanos = text.split_whitespace().next().expect("three numbers");
    nanos.parse::<f64>().expect("a number") * 1e-9
}

/// Runs what the command line asks for, `mmc CUSTOMERS` or `phold MESSAGES`, each giving the number of
/// events and the mean seconds of a wait or of a message; prints events, seconds and that mean.
pub fn main(mmc: fn(u64) -> (u64, f64), phold: fn(u64) -> (u64, f64)) {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [workload, size] = &args[..] else {
        panic!("usage: mmc CUSTOMERS | phold MESSAGES")
    };
    let run = match workload.as_str() {
        "mmc" => mmc,
        "phold" => phold,
        other => panic!("no workload named {other}"),
    };
    let size = size.parse().expect("a size");
    let begun = processor_secs();
    let (events, mean) = run(size);
    println!("{events} {} {mean}", processor_secs() - begun);
}
