use darkregion::objectives::*;
use darkregion::scenario::*;
use darkregion::simulate::*;
use darkregion::slis;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let text = if args[1].ends_with(".toml") {
        std::fs::read_to_string(&args[1]).unwrap()
    } else {
        builtin(&args[1]).unwrap().to_string()
    };
    let mut over = vec![];
    let mut pol = None;
    let mut reps = 1;
    let mut quiet = false;
    let mut i = 2;
    while i < args.len() {
        match args[i].as_str() {
            "-p" => {
                pol = Some(PolicyArg::Name(args[i + 1].clone()));
                i += 1
            }
            "-n" => {
                reps = args[i + 1].parse().unwrap();
                i += 1
            }
            "-q" => quiet = true,
            a => over.push(Layer::set(a)),
        }
        i += 1;
    }
    let d = match Document::load("x", Layer::file(&args[1], &text, None), pol, over) {
        Ok(d) => d,
        Err(e) => {
            println!("{e}");
            return;
        }
    };
    let s = d.scenario();
    let t = std::time::Instant::now();
    let sim = Simulator::new(s);
    println!("prepare {:?}", t.elapsed());
    if !quiet {
        println!("{:#?}", sim.facts());
    }
    for w in warnings(s) {
        println!("warn {w}");
    }
    for w in errors(s) {
        println!("error {w}");
    }
    let t = std::time::Instant::now();
    let mut steps = 0;
    let columns = Columns::new(slis::all(), [s]);
    let mut sums = vec![(0.0, 0u32); columns.measures().len()];
    for r in 0..reps {
        let o = sim.run(1, r + std::env::var("REP").map_or(0, |t| t.parse().unwrap()));
        steps += o.steps;
        let series = Series::of(&o.windows, slis::all());
        let row = measure(s, &columns, &series, &o, r);
        for (a, v) in sums.iter_mut().zip(&row.values) {
            let x = v.as_f64();
            if x.is_finite() {
                a.0 += x;
                a.1 += 1;
            }
        }
        if r == 0 {
            for e in &o.log {
                println!("{:>8.1} {} {} ({})", e.at.secs(), e.part, e.what, e.cause);
            }
            println!("{:?}", o.marks);
            println!("{:?} {:?}", o.ledger, o.outside_validity);
            let f = o.marks.fault.map_or(0.0, |f| f.secs());
            print!("{:>8}", "t");
            for sli in slis::all() {
                print!(" {:>12}", &sli.name()[..12.min(sli.name().len())]);
            }
            println!();
            for w in &o.windows {
                let dt = w.from.secs() - f;
                if quiet && !(-30.0..400.0).contains(&dt) && (dt as i64) % 60 != 0 {
                    continue;
                }
                print!("{:>8.0}", dt);
                for sli in slis::all() {
                    print!(" {:>12.6}", sli.measure(&w.global).unwrap_or(f64::NAN));
                }
                println!();
            }
        }
    }
    for (m, (a, n)) in columns.measures().iter().zip(&sums) {
        let t = m.to_string();
        if t.contains("degr") || t.contains("unre") || t.contains("p50") || t.contains("p95") {
            continue;
        }
        println!("{t:>40} {:.5} ({n})", a / (*n as f64));
    }
    println!(
        "{} reps {:?} each, {} steps, {:.2} us/step",
        reps,
        t.elapsed() / reps as u32,
        steps,
        t.elapsed().as_secs_f64() * 1e6 / steps as f64
    );
}
