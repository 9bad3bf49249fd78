//! One number a row, by the path of its keys: so whatever is counted is shown, without a list here
//! that could forget something.

use serde_json::Value;

use super::output::Form;
use crate::control::Counters;

pub(super) const FORM: Form<Counters> = Form { key: None, head: &["counter", "value"], rows };

fn rows(counters: &Counters, rows: &mut Vec<Vec<String>>) {
    if let Ok(value) = serde_json::to_value(counters) {
        flatten("", &value, rows);
    }
}

fn flatten(path: &str, value: &Value, rows: &mut Vec<Vec<String>>) {
    match value {
        Value::Object(inside) => {
            for (key, value) in inside {
                let space = if path.is_empty() { "" } else { " " };
                flatten(&format!("{path}{space}{key}"), value, rows);
            }
        }
        value => rows.push(vec![path.to_owned(), value.to_string()]),
    }
}
