//! One client a row, and what has become of it.

use super::output::Form;
use crate::control::Told;

pub(super) const FORM: Form<Told> = Form { key: Some("clients"), head: &["client", "link", "outcome"], rows };

fn rows(told: &Told, rows: &mut Vec<Vec<String>>) {
    let link = told.link_name.clone().unwrap_or_else(|| told.link.to_string());
    rows.push(vec![told.duid.clone(), link, told.outcome.to_string()]);
}
