use darkregion::verify;
fn main() {
    let args: Vec<String> = std::env::args().collect();
    let cases: Vec<_> = verify::embedded()
        .into_iter()
        .filter(|c| {
            args.len() < 2
                || args[1..]
                    .iter()
                    .any(|a| c.family.starts_with(a.as_str()) || c.id.starts_with(a.as_str()))
        })
        .collect();
    for c in &cases {
        let t = std::time::Instant::now();
        let r = verify::run(
            std::slice::from_ref(c),
            std::env::var("SEED").map_or(1, |s| s.parse().unwrap()),
            &|_| {},
        );
        if r.passed + r.failed > 0 || args.len() > 1 {
            println!("{r}\n   {:?}", t.elapsed());
        }
    }
}
