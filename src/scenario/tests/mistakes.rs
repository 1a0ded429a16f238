//! What is refused, and with which words.

use super::*;
use crate::scenario::variant_names;
use proptest::prelude::*;
use std::path::Path;

/// Each file in `tests/bad` is refused with the mistakes in the text beside it. With `BLESS` set in
/// the environment the texts are written anew.
#[test]
fn every_mistake_is_told() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bad");
    let mut files: Vec<_> = std::fs::read_dir(&folder)
        .expect("the folder is there")
        .map(|entry| entry.expect("readable").path())
        .filter(|path| path.extension().is_some_and(|e| e == "toml"))
        .collect();
    files.sort();
    assert!(files.len() > 30);
    for path in files {
        let text = std::fs::read_to_string(&path).expect("readable");
        let name = path.file_name().and_then(|n| n.to_str()).expect("a name");
        let layer = Layer::file(name, &text, None);
        let mut all = Vec::new();
        let variants = variant_names(&layer).into_iter().map(Some);
        for variant in [None].into_iter().chain(variants) {
            let variant = variant.as_deref();
            let loaded = Document::load_variant("bad", layer.clone(), variant, None, Vec::new());
            let found = loaded.err().map_or(Vec::new(), |Problems(found)| found);
            for problem in found {
                if !all.contains(&problem) {
                    all.push(problem);
                }
            }
        }
        assert!(!all.is_empty(), "{name} has no mistake");
        let problems = format!("{}\n", Problems(all));
        let expected = path.with_extension("txt");
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&expected, &problems).expect("writable");
        }
        let expected = std::fs::read_to_string(&expected).expect("an expected text");
        assert_eq!(problems, expected, "{name}");
    }
}

#[test]
fn mistaken_sets_name_the_flag_and_the_nearest() {
    for (set, expected) in [
        (
            "service.stroe.dark=0",
            "--set: service.stroe: there is no \"stroe\"\n  hint: did you mean \"store\"?",
        ),
        (
            "service.api.drak=0",
            "--set: service.api.drak: unknown key\n  hint: did you mean \"dark\"?",
        ),
        ("fault[1].at=3s", "--set: fault[1]: there is no entry 1"),
        (
            "dns.ttl=30",
            "--set: dns.ttl: a duration without a unit: 30",
        ),
        ("dns.*.ttl=30s", "--set: dns: not an array of tables"),
        (
            "dns.ttl.x=30s",
            "--set: dns.ttl: \"x\" cannot be set in a string",
        ),
        ("dns.ttl", "--set: no value"),
        ("dns.ttl=[3", "--set: not TOML"),
        ("tpyo=3", "--set: tpyo: unknown key"),
        ("fault[0].remove=3", "unknown key"),
        ("dns.tll.remove=true", "--set: dns.tll: cannot be removed"),
    ] {
        let told = mistakes(FULL, &[set]);
        assert!(told.contains(expected), "{set}: {told}");
    }
}

#[test]
fn huge_and_hostile_texts_are_refused() {
    let large = format!("{TINY}# {}", "x".repeat(10_000_001));
    assert!(mistakes(&large, &[]).contains("too large"));
    let keys: String = (0..5_000).map(|i| format!("k{i} = 1\n")).collect();
    assert!(mistakes(&format!("{keys}{TINY}"), &[]).contains("too many keys"));
    let long = format!("{} = 1\n{TINY}", "k".repeat(100_000));
    assert!(mistakes(&long, &[]).contains("too long"));
    let values = format!(
        "{TINY}[[market]]\nname = 'x'\nstarts = 1\nprofile = [{}]",
        "1,".repeat(100_001)
    );
    assert!(mistakes(&values, &[]).contains("the array is too long"));
    for open in ["[", "{a=", "[[a.a.a.a.a.a.a.a]]\n", "a.a={"] {
        assert!(load(&format!("x = {}", open.repeat(100_000)), &[]).is_err());
        assert!(load(&open.repeat(100_000), &[]).is_err());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn arbitrary_text_never_panics(text in "\\PC{0,200}") {
        let _ = load(&text, &[]);
        let _ = load(FULL, &[&text]);
    }

    #[test]
    fn mutated_files_never_panic(
        cuts in prop::collection::vec((0.0..1.0f64, 0usize..12, "\\PC{0,4}|-1|inf|nan|\\{\\}|\\[\\]|1e400|true|\"\"|'0s'|9223372036854775807"), 1..6),
    ) {
        let mut text = FULL.to_string();
        for (at, length, with) in cuts {
            let mut from = (at * text.len() as f64) as usize;
            while !text.is_char_boundary(from) { from -= 1; }
            let mut to = (from + length).min(text.len());
            while !text.is_char_boundary(to) { to += 1; }
            text.replace_range(from..to, &with);
        }
        if let Ok(document) = load(&text, &[]) {
            let _ = document.drawn(1, 1);
            prop_assert!(load(&document.toml(), &[]).is_ok(), "{}", document.toml());
        }
    }

    #[test]
    fn replaced_values_never_panic(
        line in 0usize..FULL.lines().count(),
        value in "-?[0-9]{1,20}|-?inf|nan|true|\"[0-9]{0,9}(s|min|%|/s)?\"|\\[\\]|\\{\\}|\\[\"east\"\\]|\\{ uncertain = \\[1, 2\\] \\}|\\{ uncertain = \\[\"1s\", \"2s\"\\] \\}|[0-9]\\.[0-9]e[0-9]{1,3}",
    ) {
        let lines: Vec<String> = FULL
            .lines()
            .enumerate()
            .map(|(i, l)| match l.split_once(" = ") {
                Some((key, _)) if i == line => format!("{key} = {value}"),
                _ => l.to_string(),
            })
            .collect();
        if let Ok(document) = load(&lines.join("\n"), &[]) {
            let _ = document.drawn(1, 1);
            prop_assert!(load(&document.toml(), &[]).is_ok());
        }
    }
}
