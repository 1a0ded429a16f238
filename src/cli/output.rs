//! The only place that writes files. Each is written beside its place and renamed into it, so that
//! it is there as a whole or not at all.

use crate::cli::failure::Failure;
use crate::engine::digest::Digest;
use crate::report::Page;
use crate::report::manifest::{self, Manifest};
use fs4::{FileExt, TryLockError};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Held by the run that writes to a directory. It stays there and marks the directory's pages as
/// the program's own.
const LOCK: &str = ".darkregion.lock";

/// A directory that this run alone writes to.
#[derive(Debug)]
pub struct Output {
    dir: PathBuf,
    /// Pages that an earlier run left, with their digests.
    earlier: BTreeMap<String, String>,
    _lock: File,
}

impl Output {
    /// Makes a directory ready for pages of these names.
    ///
    /// # Errors
    ///
    /// If it cannot be written to, another run writes to it, or it has a file of one of these
    /// names that this program did not write.
    pub fn open(dir: &Path, names: &[String]) -> Result<Output, Failure> {
        let refused = |what: &str, error: &std::io::Error| Failure::file(dir, what, error);
        fs::create_dir_all(dir).map_err(|error| refused("the directory cannot be made", &error))?;
        let earlier = fs::read(dir.join(manifest::NAME)).ok();
        let earlier = earlier.and_then(|bytes| Manifest::parse(&bytes));
        if earlier.is_none() && !dir.join(LOCK).exists() {
            let foreign = names
                .iter()
                .find(|name| dir.join(name).symlink_metadata().is_ok());
            if let Some(name) = foreign {
                return Err(Failure::Files(format!(
                    "{} is there and was not written by this program; choose another directory with -o",
                    dir.join(name).display()
                )));
            }
        }
        let lock = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(dir.join(LOCK))
            .map_err(|error| refused("cannot be written to", &error))?;
        match FileExt::try_lock(&lock) {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::Files(format!(
                    "another run is writing to {}; wait for it or choose another directory with -o",
                    dir.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(refused("cannot be locked", &error)),
        }
        // Found out now and not after an hour's simulation.
        tempfile::NamedTempFile::new_in(dir)
            .map_err(|error| refused("cannot be written to", &error))?;
        Ok(Output {
            dir: dir.to_path_buf(),
            earlier: earlier.map(|manifest| manifest.pages).unwrap_or_default(),
            _lock: lock,
        })
    }

    /// Writes pages, in order, and removes those that an earlier run left, this one does not have
    /// and nobody has changed since.
    ///
    /// # Errors
    ///
    /// If one cannot be written; those before it are.
    pub fn write(&self, pages: &[Page]) -> Result<(), Failure> {
        for page in pages {
            self.replace(page)?;
        }
        for (name, digest) in &self.earlier {
            let path = self.dir.join(name);
            // A manifest is a file like any other: it may name what is none of our pages.
            let plain = Path::new(name).components().count() == 1 && !name.contains("..");
            let stale = plain && pages.iter().all(|page| page.name != *name);
            if stale && fs::read(&path).is_ok_and(|bytes| page_digest(&bytes) == *digest) {
                fs::remove_file(&path)
                    .map_err(|error| Failure::file(&path, "cannot be removed", &error))?;
            }
        }
        Ok(())
    }

    fn replace(&self, page: &Page) -> Result<(), Failure> {
        let path = self.dir.join(&page.name);
        let mut builder = tempfile::Builder::new();
        // A temporary file is its owner's alone; a result is as any new file.
        #[cfg(unix)]
        let builder = {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666))
        };
        builder
            .prefix(".darkregion-")
            .tempfile_in(&self.dir)
            .and_then(|mut file| {
                file.write_all(&page.bytes)?;
                file.persist(&path).map_err(|error| error.error)
            })
            .map(|_| ())
            .map_err(|error| Failure::file(&path, "cannot be written", &error))
    }
}

/// The digest of a page.
pub fn page_digest(bytes: &[u8]) -> String {
    let mut digest = Digest::new();
    for chunk in bytes.chunks(8) {
        let mut word = [0; 8];
        word[..chunk.len()].copy_from_slice(chunk);
        digest.add_u64(u64::from_le_bytes(word));
    }
    digest.add_u64(bytes.len() as u64);
    hexadecimal(&digest)
}

/// The digest of named texts together.
pub fn joint_digest<'a>(texts: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut digest = Digest::new();
    for (name, text) in texts {
        digest.add_str(name);
        digest.add_str(text);
    }
    hexadecimal(&digest)
}

fn hexadecimal(digest: &Digest) -> String {
    format!("{:016x}", digest.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn page(name: &str, text: &str) -> Page {
        Page {
            name: name.into(),
            bytes: text.into(),
        }
    }

    fn names() -> Vec<String> {
        vec!["a.csv".into(), manifest::NAME.into()]
    }

    #[test]
    fn pages_are_replaced_and_foreign_files_are_not() {
        let dir = tempfile::tempdir().unwrap();
        let notes = dir.path().join("notes.txt");
        fs::write(&notes, "mine").unwrap();
        for text in ["first", "second"] {
            let output = Output::open(dir.path(), &names()).unwrap();
            output.write(&[page("a.csv", text)]).unwrap();
            assert_eq!(fs::read_to_string(dir.path().join("a.csv")).unwrap(), text);
        }
        assert_eq!(fs::read_to_string(&notes).unwrap(), "mine");
        let mut left: Vec<_> = fs::read_dir(dir.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, [LOCK, "a.csv", "notes.txt"]);
    }

    #[test]
    fn somebody_else_s_file_of_our_name_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let theirs = dir.path().join(manifest::NAME);
        fs::write(&theirs, "{\"name\": \"a web page\"}").unwrap();
        let failure = Output::open(dir.path(), &names()).unwrap_err();
        assert!(matches!(failure, Failure::Files(text) if text.contains("was not written")));
        assert!(fs::read_to_string(theirs).unwrap().contains("web page"));
    }

    #[test]
    fn a_second_run_is_refused_while_the_first_lasts() {
        let dir = tempfile::tempdir().unwrap();
        let first = Output::open(dir.path(), &names()).unwrap();
        let failure = Output::open(dir.path(), &names()).unwrap_err();
        assert!(matches!(failure, Failure::Files(text) if text.contains("another run")));
        drop(first);
        Output::open(dir.path(), &names()).unwrap();
    }

    #[test]
    fn a_directory_that_cannot_be_is_a_clear_failure() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(matches!(
            Output::open(&file.join("below"), &names()),
            Err(Failure::Files(_))
        ));
    }

    #[test]
    fn digests_tell_pages_apart() {
        assert_ne!(page_digest(b"ab"), page_digest(b"ab\0"));
        assert_ne!(page_digest(b"12345678"), page_digest(b"123456789"));
        assert_eq!(page_digest(b"same"), page_digest(b"same"));
    }
}
