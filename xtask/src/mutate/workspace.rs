//! A copy of the workspace, in which defects are planted.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};

use super::defects::Defect;

/// The copy, and its build folder.
pub(super) struct Workspace {
    folder: PathBuf,
    build: PathBuf,
}

impl Workspace {
    /// Copies every file that is known to git. One that has not changed since the last time stays as it is, and what
    /// was built from it too; one that is known no more goes.
    pub(super) fn copy(root: &Path) -> Result<Self> {
        let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from);
        let (folder, build) = (target.join("mutate/workspace"), target.join("mutate/build"));
        let listed = Command::new("git")
            .args([
                "ls-files",
                "-z",
                "--",
                "Cargo.toml",
                "Cargo.lock",
                "pure",
                "edge",
                "sim",
                "xtask",
                "samples",
            ])
            .current_dir(root)
            .output()
            .context("cannot start git")?;
        ensure!(listed.status.success(), "git lists no files: {}", String::from_utf8_lossy(&listed.stderr));
        let files = String::from_utf8(listed.stdout).context("a file's name is no text")?;
        let mut copied = BTreeSet::new();
        for file in files.split_terminator('\0') {
            // One that is known to git and gone is nobody's.
            if let Ok(octets) = fs::read(root.join(file)) {
                write(&folder.join(file), &octets)?;
                copied.insert(folder.join(file));
            }
        }
        remove_others(&folder, &copied)?;
        Ok(Self { folder, build })
    }

    /// Where the copy is.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it is built.
    pub(super) fn build(&self) -> &Path {
        &self.build
    }

    /// Plants a defect.
    pub(super) fn plant(&self, defect: &Defect) -> Result<Planted> {
        let mut planted = Planted { before: Vec::new() };
        for edit in &defect.edits {
            let path = self.folder.join(&edit.file);
            let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", edit.file))?;
            let changed = edit.apply(&text).with_context(|| defect.name.clone())?;
            planted.before.push((path.clone(), text));
            write(&path, changed.as_bytes())?;
        }
        Ok(planted)
    }
}

/// A defect that is there.
pub(super) struct Planted {
    before: Vec<(PathBuf, String)>,
}

impl Planted {
    /// Takes it out again.
    pub(super) fn mend(self) -> Result<()> {
        self.before.iter().rev().try_for_each(|(path, text)| write(path, text.as_bytes()))
    }
}

/// Removes what an earlier copy has left: a module that has moved would be there twice.
fn remove_others(folder: &Path, copied: &BTreeSet<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let path = entry?.path();
        if path.is_dir() {
            remove_others(&path, copied)?;
        } else if !copied.contains(&path) {
            fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

fn write(path: &Path, octets: &[u8]) -> Result<()> {
    if fs::read(path).is_ok_and(|there| there == octets) {
        return Ok(());
    }
    let folder = path.parent().context("a file without a folder")?;
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, octets))
        .with_context(|| format!("cannot write {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_longer_copied_goes() {
        let folder = std::env::temp_dir().join(format!("leasehold-mutate-{}", std::process::id()));
        let (kept, gone) = (folder.join("serving/mod.rs"), folder.join("serving.rs"));
        write(&kept, b"kept").unwrap();
        write(&gone, b"gone").unwrap();
        remove_others(&folder, &BTreeSet::from([kept.clone()])).unwrap();
        assert!(kept.exists() && !gone.exists());
        fs::remove_dir_all(folder).unwrap();
    }
}
