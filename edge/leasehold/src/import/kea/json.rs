//! Kea's configuration language: JSON, and what Kea lets people write besides.
//!
//! That is comments (`#` and `//` to the end of the line, `/*` to `*/`), a comma behind the last element, and
//! `<?include "file"?>` anywhere between two tokens, in whose place the tokens of that file are read.
//!
//! Every value knows the file and the line it began on, so that whoever finds fault with its meaning can say
//! where it stands. No crate at hand does all of that, and it takes less to write than to work around one.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Values inside one another. Kea's own need a dozen; this bounds the stack a file can make us use.
const MAX_DEPTH: usize = 100;
/// Files included by one another: Kea's own limit.
const MAX_INCLUDES: usize = 10;
/// Octets of all files together, each counted as often as it is included: a thousand octets for each of a
/// quarter of a million subnets.
const MAX_OCTETS: u64 = 1 << 28;

/// Where in which file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The file, as it was opened.
    pub file: Arc<Path>,
    /// The line, counted from 1.
    pub line: u32,
}

impl fmt::Display for Mark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
    }
}

/// What is wrong with a configuration, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Where.
    pub mark: Mark,
    /// What is wrong, and what would be right.
    pub what: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { mark, what } = self;
        write!(f, "{mark}: {what}")
    }
}

impl std::error::Error for ConfigError {}

/// A value and where it begins.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) mark: Mark,
    pub(super) json: Json,
}

impl Value {
    /// The value behind a key of a map; `None` if there is none, or this is no map.
    pub(super) fn member(&self, key: &str) -> Option<&Value> {
        let Json::Map(members) = &self.json else { return None };
        members.iter().find(|(name, _)| name == key).map(|(_, value)| value)
    }

    /// A text behind a key.
    pub(super) fn text(&self, key: &str) -> Result<Option<&str>, ConfigError> {
        self.member(key).map(|value| value.as_text(key)).transpose()
    }

    /// A number behind a key, from 0 to the largest that the type holds.
    pub(super) fn number<N: TryFrom<i64>>(&self, key: &str) -> Result<Option<N>, ConfigError> {
        let Some(value) = self.member(key) else { return Ok(None) };
        let number = if let Json::Integer(number) = value.json { N::try_from(number).ok() } else { None };
        number
            .map(Some)
            .ok_or_else(|| value.error(format!("`{key}` must be a number, not negative and not too large")))
    }

    /// A list behind a key; an empty one if there is none.
    pub(super) fn list(&self, key: &str) -> Result<&[Value], ConfigError> {
        match self.member(key).map(|value| (value, &value.json)) {
            None => Ok(&[]),
            Some((_, Json::List(values))) => Ok(values),
            Some((value, _)) => Err(value.error(format!("`{key}` must be a list in brackets"))),
        }
    }

    /// This as a text; errors call it `name`.
    pub(super) fn as_text(&self, name: &str) -> Result<&str, ConfigError> {
        if let Json::Text(text) = &self.json {
            Ok(text)
        } else {
            Err(self.error(format!("`{name}` must be a text in double quotes")))
        }
    }

    /// The same as plain JSON.
    pub(super) fn plain(&self) -> serde_json::Value {
        match &self.json {
            Json::Null => serde_json::Value::Null,
            Json::Boolean(boolean) => (*boolean).into(),
            Json::Integer(number) => (*number).into(),
            Json::Real(number) => (*number).into(),
            Json::Text(text) => text.clone().into(),
            Json::List(values) => values.iter().map(Self::plain).collect(),
            Json::Map(members) => members.iter().map(|(key, value)| (key.clone(), value.plain())).collect(),
        }
    }

    /// What is wrong with it.
    pub(super) fn error(&self, what: impl Into<String>) -> ConfigError {
        ConfigError { mark: self.mark.clone(), what: what.into() }
    }
}

/// The kinds of value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json {
    Null,
    Boolean(bool),
    Integer(i64),
    Real(f64),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
}

impl PartialEq for Value {
    /// Values are equal wherever they stand.
    fn eq(&self, other: &Self) -> bool {
        self.json == other.json
    }
}

/// Reads a file and those it includes.
pub(super) fn read(path: &Path) -> Result<Value, ConfigError> {
    let mut parser = Parser { sources: Vec::new(), octets_left: MAX_OCTETS };
    parser.enter(path.to_owned()).map_err(|what| {
        let mark = Mark { file: path.into(), line: 1 };
        ConfigError { mark, what }
    })?;
    let value = parser.value(0)?;
    match parser.token()? {
        Token::End => Ok(value),
        other => Err(parser.expected("nothing behind the last brace", &other)),
    }
}

#[derive(Debug, PartialEq)]
enum Token {
    Sign(u8),
    Scalar(Json),
    End,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sign(sign) => write!(f, "`{}`", char::from(*sign)),
            Self::Scalar(Json::Text(_)) => f.write_str("a text"),
            Self::Scalar(Json::Integer(number)) => write!(f, "{number}"),
            Self::Scalar(Json::Real(number)) => write!(f, "{number}"),
            Self::Scalar(_) => f.write_str("a word"),
            Self::End => f.write_str("the end of the file"),
        }
    }
}

/// A file being read.
struct Source {
    path: Arc<Path>,
    text: Vec<u8>,
    at: usize,
    line: u32,
}

impl Source {
    fn rest(&self) -> &[u8] {
        &self.text[self.at..]
    }

    fn skip(&mut self, octets: usize) {
        let passed = &self.text[self.at..self.at + octets];
        self.line += passed.iter().filter(|&&octet| octet == b'\n').count() as u32;
        self.at += octets;
    }
}

/// The file given and, behind it, each file included by the one before it. The last one is being read.
struct Parser {
    sources: Vec<Source>,
    octets_left: u64,
}

impl Parser {
    fn value(&mut self, depth: usize) -> Result<Value, ConfigError> {
        let token = self.token()?;
        self.value_of(token, depth)
    }

    /// The value that begins with a token just read.
    fn value_of(&mut self, token: Token, depth: usize) -> Result<Value, ConfigError> {
        let mark = self.mark();
        if depth == MAX_DEPTH {
            return Err(ConfigError {
                mark,
                what: format!("more than {MAX_DEPTH} braces and brackets are open"),
            });
        }
        let json = match token {
            Token::Scalar(json) => json,
            Token::Sign(b'[') => self.list(depth)?,
            Token::Sign(b'{') => self.map(depth)?,
            other => return Err(self.expected("a value", &other)),
        };
        Ok(Value { mark, json })
    }

    fn list(&mut self, depth: usize) -> Result<Json, ConfigError> {
        let mut values = Vec::new();
        loop {
            match self.token()? {
                Token::Sign(b']') => return Ok(Json::List(values)),
                token => values.push(self.value_of(token, depth + 1)?),
            }
            if self.comma_or(b']')? {
                return Ok(Json::List(values));
            }
        }
    }

    fn map(&mut self, depth: usize) -> Result<Json, ConfigError> {
        let mut members: Vec<(String, Value)> = Vec::new();
        loop {
            let key = match self.token()? {
                Token::Sign(b'}') => return Ok(Json::Map(members)),
                Token::Scalar(Json::Text(key)) => key,
                other => return Err(self.expected("a key in double quotes or `}`", &other)),
            };
            if members.iter().any(|(other, _)| *other == key) {
                return Err(self.error(format!("`{key}` is given twice in one pair of braces")));
            }
            match self.token()? {
                Token::Sign(b':') => members.push((key, self.value(depth + 1)?)),
                other => return Err(self.expected(&format!("`:` behind `{key}`"), &other)),
            }
            if self.comma_or(b'}')? {
                return Ok(Json::Map(members));
            }
        }
    }

    /// Whether the list or map ends here, and does not go on behind a comma.
    fn comma_or(&mut self, end: u8) -> Result<bool, ConfigError> {
        match self.token()? {
            Token::Sign(b',') => Ok(false),
            Token::Sign(sign) if sign == end => Ok(true),
            other => Err(self.expected(&format!("`,` or `{}`", char::from(end)), &other)),
        }
    }

    fn token(&mut self) -> Result<Token, ConfigError> {
        self.skip_blank()?;
        let source = self.source();
        let Some(&first) = source.rest().first() else { return Ok(Token::End) };
        match first {
            b'{' | b'}' | b'[' | b']' | b',' | b':' => {
                source.skip(1);
                Ok(Token::Sign(first))
            }
            b'"' => self.text().map(|text| Token::Scalar(Json::Text(text))),
            _ => self.word().map(Token::Scalar),
        }
    }

    /// Skips to the next token: over blanks, comments and the ends of included files, and into included
    /// files.
    fn skip_blank(&mut self) -> Result<(), ConfigError> {
        loop {
            let included = self.sources.len() > 1;
            let source = self.source();
            let rest = source.rest();
            match rest {
                [b' ' | b'\t' | b'\r' | b'\n', ..] => source.skip(1),
                [b'#', ..] | [b'/', b'/', ..] => {
                    let end = rest.iter().position(|&octet| octet == b'\n').unwrap_or(rest.len());
                    source.skip(end);
                }
                [b'/', b'*', ..] => match find(&rest[2..], b"*/") {
                    Some(length) => source.skip(length + 4),
                    None => return Err(self.error("`/*` without `*/`")),
                },
                [b'<', b'?', ..] => self.include()?,
                [] if included => {
                    self.sources.pop();
                }
                _ => return Ok(()),
            }
        }
    }

    /// Enters the file named by `<?include "file"?>`.
    fn include(&mut self) -> Result<(), ConfigError> {
        let source = self.source();
        let name = find(source.rest(), b"?>").and_then(|end| {
            let inside = source.rest()[2..end].trim_ascii().strip_prefix(b"include")?.trim_ascii();
            let name = inside.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
            Some((str::from_utf8(name).ok()?.to_owned(), end + 2))
        });
        let Some((name, octets)) = name else {
            return Err(self.error("what begins with `<?` must be <?include \"file\"?>"));
        };
        source.skip(octets);
        let path = self.included_path(Path::new(&name));
        let mark = self.mark();
        self.enter(path).map_err(|what| ConfigError { mark, what })
    }

    /// Kea takes a relative name as relative to the directory it was started in, which nobody knows
    /// afterwards. So the directory of the including file is tried first.
    fn included_path(&mut self, name: &Path) -> PathBuf {
        let including = self.source().path.parent().unwrap_or(Path::new("")).join(name);
        if including.exists() { including } else { name.to_owned() }
    }

    fn enter(&mut self, path: PathBuf) -> Result<(), String> {
        if self.sources.len() > MAX_INCLUDES {
            return Err(format!("more than {MAX_INCLUDES} files include one another"));
        }
        let unreadable = |error| format!("{} cannot be read: {error}", path.display());
        let mut text = Vec::new();
        let file = File::open(&path).map_err(unreadable)?;
        file.take(self.octets_left + 1).read_to_end(&mut text).map_err(unreadable)?;
        self.octets_left = self
            .octets_left
            .checked_sub(text.len() as u64)
            .ok_or_else(|| format!("the configuration and what it includes exceed {MAX_OCTETS} octets"))?;
        self.sources.push(Source { path: path.into(), text, at: 0, line: 1 });
        Ok(())
    }

    /// A number, `true`, `false` or `null`.
    fn word(&mut self) -> Result<Json, ConfigError> {
        let source = self.source();
        let rest = source.rest();
        let in_word = |octet: &u8| octet.is_ascii_alphanumeric() || b"+-._".contains(octet);
        let length = rest.iter().position(|octet| !in_word(octet)).unwrap_or(rest.len());
        let word = String::from_utf8_lossy(&rest[..length.max(1)]).into_owned();
        source.skip(length);
        match &*word {
            "true" => Ok(Json::Boolean(true)),
            "false" => Ok(Json::Boolean(false)),
            "null" => Ok(Json::Null),
            _ => number(&word).ok_or_else(|| {
                self.error(format!(
                    "`{word}` is no value: expected a text in double quotes, a number, true or false"
                ))
            }),
        }
    }

    /// A text in double quotes.
    fn text(&mut self) -> Result<String, ConfigError> {
        let source = self.source();
        let rest = source.rest();
        let mut length = 1;
        loop {
            match rest.get(length..) {
                Some([b'"', ..]) => break,
                Some([b'\\', _, ..]) => length += 2,
                Some([octet, ..]) if *octet != b'\n' => length += 1,
                _ => return Err(self.error("a text that began with `\"` does not end in its line")),
            }
        }
        let text = serde_json::from_slice(&rest[..=length]);
        source.skip(length + 1);
        text.map_err(|_| self.error("a text with an escape that JSON does not know, or that is not UTF-8"))
    }

    fn source(&mut self) -> &mut Source {
        self.sources.last_mut().expect("the file given is never left")
    }

    fn mark(&mut self) -> Mark {
        let source = self.source();
        Mark { file: source.path.clone(), line: source.line }
    }

    fn expected(&mut self, what: &str, found: &Token) -> ConfigError {
        self.error(format!("expected {what}, found {found}"))
    }

    fn error(&mut self, what: impl Into<String>) -> ConfigError {
        ConfigError { mark: self.mark(), what: what.into() }
    }
}

fn number(word: &str) -> Option<Json> {
    let integer = word.parse().ok().map(Json::Integer);
    let starts_like_one = word.starts_with(|first: char| first == '-' || first.is_ascii_digit());
    let real = || word.parse().ok().filter(|real: &f64| real.is_finite()).map(Json::Real);
    integer.or_else(real).filter(|_| starts_like_one)
}

fn find(text: &[u8], pattern: &[u8]) -> Option<usize> {
    text.windows(pattern.len()).position(|window| window == pattern)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn read_files(files: &[(&str, &str)]) -> Result<Value, String> {
        let directory = tempfile::tempdir().unwrap();
        for (name, text) in files {
            fs::write(directory.path().join(name), text).unwrap();
        }
        let shorten =
            |error: ConfigError| error.to_string().replace(&format!("{}/", directory.path().display()), "");
        read(&directory.path().join(files[0].0)).map_err(shorten)
    }

    fn read_text(text: &str) -> Result<Value, String> {
        read_files(&[("a", text)])
    }

    #[test]
    fn plain_json_is_read_as_everybody_reads_it() {
        let text =
            r#"{"a": [1, -2, 3.5, 1e3, true, false, null, [], {}], "b": {"c": "d\n\u00e9\"\\ //#"}, "": ""}"#;
        let expected: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(read_text(text).unwrap().plain(), expected);
    }

    #[test]
    fn comments_and_commas_at_the_end_do_not_matter() {
        let commented =
            "# first\n{ // second\n \"a\": /* third\n */ [1, 2,], #\n \"b\": {\"c\": \"# /* //\",},\n}\n//";
        assert_eq!(read_text(commented), read_text(r##"{"a": [1, 2], "b": {"c": "# /* //"}}"##));
    }

    #[test]
    fn an_included_file_stands_where_it_is_included() {
        let files = [
            ("a", "{ <?include \"b\"?>,\n\"y\": <? include \"c\" ?> }"),
            ("b", "# members\n\"x\": 1"),
            ("c", "[<?include \"d\"?>]"),
            ("d", ""),
        ];
        assert_eq!(read_files(&files), read_text(r#"{"x": 1, "y": []}"#));
    }

    #[test]
    fn values_know_where_they_stand() {
        let files = [("a", "{\n\n \"x\":\n <?include \"b\"?> }"), ("b", "\n\n\n[\n 1]")];
        let Json::Map(members) = read_files(&files).unwrap().json else { panic!("a map") };
        let list = &members[0].1;
        assert_eq!((list.mark.file.file_name(), list.mark.line), (Some("b".as_ref()), 4));
    }

    #[test]
    fn errors_say_where_and_what() {
        for (text, error) in [
            ("{\n\"a\" 1}", "a:2: expected `:` behind `a`, found 1"),
            ("{\n\"a\": 1\n\"b\": 2}", "a:3: expected `,` or `}`, found a text"),
            ("[1}", "a:1: expected `,` or `]`, found `}`"),
            ("{\n", "a:2: expected a key in double quotes or `}`, found the end of the file"),
            ("[,]", "a:1: expected a value, found `,`"),
            ("{} x", "a:1: `x` is no value: expected a text in double quotes, a number, true or false"),
            ("{} 1", "a:1: expected nothing behind the last brace, found 1"),
            ("[NaN]", "a:1: `NaN` is no value: expected a text in double quotes, a number, true or false"),
            ("[1,\n\"x\n\"]", "a:2: a text that began with `\"` does not end in its line"),
            ("[\"\\x\"]", "a:1: a text with an escape that JSON does not know, or that is not UTF-8"),
            ("{\"a\":1,\n\"a\":2}", "a:2: `a` is given twice in one pair of braces"),
            ("\n/* x", "a:2: `/*` without `*/`"),
            ("<?import \"b\"?>", "a:1: what begins with `<?` must be <?include \"file\"?>"),
            ("\n<?include \"b\"?>", "a:2: b cannot be read: No such file or directory (os error 2)"),
            ("<?include \"a\"?>", "a:1: more than 10 files include one another"),
        ] {
            assert_eq!(read_text(text).map(|value| value.plain()), Err(error.to_owned()), "{text}");
        }
        let deep = "[".repeat(100_000);
        assert_eq!(read_text(&deep).unwrap_err(), "a:1: more than 100 braces and brackets are open");
    }
}
