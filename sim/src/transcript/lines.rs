//! A transcript as lines: what is indented below a line belongs to it.
//!
//! `#` begins a comment, except inside quotes. Indentation is by spaces; how many does not matter, only that what
//! belongs together is equally deep.

use super::fault::Fault;

/// A line, and the lines that belong to it.
#[derive(Debug, Clone)]
pub(super) struct Line {
    /// From 1.
    pub(super) number: usize,
    /// Without indentation and comment.
    pub(super) text: String,
    /// What is indented below it.
    pub(super) inside: Vec<Line>,
}

/// Reads the lines of a file.
pub(super) fn read(text: &str) -> Result<Vec<Line>, Fault> {
    let mut flat = Vec::new();
    for (index, raw) in text.lines().enumerate() {
        let kept = without_comment(raw).trim_end();
        if kept.trim_start().is_empty() {
            continue;
        }
        let depth = kept.len() - kept.trim_start_matches(' ').len();
        if kept[depth..].starts_with(char::is_whitespace) {
            return Err(Fault::new(
                index + 1,
                "the line is indented with something else than spaces",
                "spaces",
            ));
        }
        let line = Line { number: index + 1, text: kept[depth..].to_owned(), inside: Vec::new() };
        flat.push((depth, line));
    }
    let mut flat = flat.into_iter().peekable();
    let lines = at_depth(&mut flat, 0)?;
    match flat.next() {
        None => Ok(lines),
        Some((_, line)) => Err(misplaced(line.number)),
    }
}

type Flat = std::iter::Peekable<std::vec::IntoIter<(usize, Line)>>;

fn at_depth(flat: &mut Flat, depth: usize) -> Result<Vec<Line>, Fault> {
    let mut lines: Vec<Line> = Vec::new();
    while let Some((found, number)) = flat.peek().map(|(found, line)| (*found, line.number)) {
        if found < depth {
            break;
        }
        if found == depth {
            lines.extend(flat.next().map(|(_, line)| line));
            continue;
        }
        let above = lines.last_mut().filter(|above| above.inside.is_empty());
        above.ok_or_else(|| misplaced(number))?.inside = at_depth(flat, found)?;
    }
    Ok(lines)
}

fn misplaced(line: usize) -> Fault {
    Fault::new(
        line,
        "the line is indented as no line above it is",
        "the indentation of the lines that it belongs to",
    )
}

fn without_comment(line: &str) -> &str {
    let mut is_quoted = false;
    for (at, character) in line.char_indices() {
        match character {
            '"' => is_quoted = !is_quoted,
            '#' if !is_quoted => return &line[..at],
            _ => {}
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(lines: &[Line]) -> String {
        lines.iter().map(|line| format!("{}[{}]", line.text, shape(&line.inside))).collect()
    }

    #[test]
    fn what_is_indented_belongs_to_the_line_above() {
        let lines = read("a # one\n\n  b\n  c \"#\"\n      d\n# nothing\ne\n").unwrap();
        assert_eq!(shape(&lines), "a[b[]c \"#\"[d[]]]e[]");
        assert_eq!(lines[1].number, 7);
    }

    #[test]
    fn an_indentation_that_fits_nowhere_is_told_with_its_line() {
        assert_eq!(read("a\n    b\n  c\n").unwrap_err().line, 3);
        assert_eq!(read("  a\nb\n").unwrap_err().line, 1);
        assert_eq!(read("a\n\tb\n").unwrap_err().line, 2);
    }
}
