//! One client a line, as in the `clients` of the whole document.

use std::io::Write;

use anyhow::Result;

use super::{Answers, view};

pub(super) fn print(answers: &Answers<'_>, out: &mut dyn Write) -> Result<()> {
    for client in view::clients(answers) {
        serde_json::to_writer(&mut *out, &client)?;
        writeln!(out)?;
    }
    Ok(())
}
