//! The crate's own source files, as the tests on its shape read them.

use std::fs;
use std::path::{Path, PathBuf};

/// A source file.
pub struct Source {
    /// Path from the crate's root, with `/`.
    pub path: String,
    /// What it says.
    pub text: String,
}

impl Source {
    /// The module that it is: `["world", "pool"]` for `src/world/pool.rs`.
    pub fn module(&self) -> Vec<String> {
        let path = self.path.trim_start_matches("src/");
        let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
        path.split('/').map(str::to_string).collect()
    }

    /// The module right below the crate; `lib` and `main` for the roots.
    pub fn top(&self) -> String {
        self.module()[0].clone()
    }
}

/// The crate's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// All files below a folder whose name ends like this, in order of their paths.
pub fn files(below: &str, ending: &str) -> Vec<Source> {
    let mut paths = Vec::new();
    collect(&root().join(below), ending, &mut paths);
    paths.sort();
    let read = |path: PathBuf| Source {
        path: path
            .strip_prefix(root())
            .expect("found below the root")
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect::<Vec<_>>()
            .join("/"),
        text: fs::read_to_string(&path).expect("a source file is text"),
    };
    paths.into_iter().map(read).collect()
}

fn collect(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("the folder can be read").path();
        if path.is_dir() {
            collect(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

/// The library's and the program's source files, without those that are tests.
pub fn sources() -> Vec<Source> {
    let mut sources = files("src", ".rs");
    assert!(sources.len() > 50, "the source files are where they were");
    let parents: Vec<syn::File> = sources
        .iter()
        .map(|s| syn::parse_file(&s.text).expect("what compiles parses"))
        .collect();
    let mut tests = Vec::new();
    for (source, file) in sources.iter().zip(&parents) {
        let module = match source.top().as_str() {
            "lib" | "main" => Vec::new(),
            _ => source.module(),
        };
        for item in &file.items {
            if let syn::Item::Mod(inner) = item
                && inner.content.is_none()
                && only_in_tests(&inner.attrs)
            {
                let mut path = module.clone();
                path.push(inner.ident.to_string());
                tests.push(path);
            }
        }
    }
    sources.retain(|s| !tests.iter().any(|test| s.module().starts_with(test)));
    sources
}

/// Whether these attributes keep an item out of the program.
pub fn only_in_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        syn::Meta::List(list) => list.path.is_ident("cfg") && list.tokens.to_string() == "test",
        _ => attribute.path().is_ident("test"),
    })
}
