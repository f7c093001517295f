//! Reads the four places a value may come from, and keeps where each came from.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::ArgMatches;
use clap::parser::ValueSource;
use toml::Value;
use toml::de::{DeTable, DeValue};

use super::settings::{Kind, SETTINGS, Setting, nearest};

/// Variables with our prefix that are no settings.
const OTHER_VARIABLES: &[&str] = &["FOREBAY_CACHE", "FOREBAY_CONFIG", "FOREBAY_METER_SANITIZE"];

/// Every setting with its value and where that came from.
pub(crate) struct Effective {
    values: BTreeMap<&'static str, (Value, Origin)>,
    /// The file that was read, if one was.
    pub(crate) file: Option<PathBuf>,
}

/// Where a value came from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    Default,
    File { path: PathBuf, line: usize },
    Variable(String),
    Flag(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { path, line } => write!(f, "{}:{line}", path.display()),
            Self::Variable(name) => f.write_str(name),
            Self::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// The environment, passed in so that tests need not change the process.
pub(crate) type Environment = BTreeMap<String, String>;

/// The variables of this process that start with our prefix, and those that say where files lie.
pub(crate) fn read_environment() -> Environment {
    std::env::vars_os()
        // A value that is not UTF-8 is kept with marks in it, so that it is refused by its setting and not overlooked.
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.to_string_lossy().into_owned())))
        .filter(|(name, _)| name.starts_with("FOREBAY_") || name == "XDG_CONFIG_HOME" || name == "HOME")
        .collect()
}

impl Effective {
    /// The defaults alone.
    pub(crate) fn from_defaults() -> Self {
        let values = SETTINGS.iter().map(|setting| {
            let value = setting.kind.parse(setting.default).expect("a test holds every default to its kind");
            (setting.key, (value, Origin::Default))
        });
        Self { values: values.collect(), file: None }
    }

    /// All four places, the stronger over the weaker.
    pub(crate) fn read(file: Option<&Path>, environment: &Environment, flags: &ArgMatches) -> anyhow::Result<Self> {
        let mut effective = Self::from_defaults();
        if let Some(path) = find_file(file, environment)? {
            effective.read_file(&path)?;
            effective.file = Some(path);
        }
        effective.read_variables(environment)?;
        effective.read_flags(flags)?;
        Ok(effective)
    }

    /// Key, value and origin of each, in the order of the keys.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&'static Setting, &Value, &Origin)> {
        SETTINGS.iter().map(|setting| {
            let (value, origin) = &self.values[setting.key];
            (setting, value, origin)
        })
    }

    /// The values as nested tables.
    pub(crate) fn to_table(&self) -> toml::Table {
        let mut root = toml::Table::new();
        for (key, (value, _)) in &self.values {
            let (section, name) = key.split_once('.').expect("every key of the table has a section");
            let section = root.entry(section).or_insert_with(|| Value::Table(toml::Table::new()));
            if let Value::Table(section) = section {
                section.insert(name.to_owned(), value.clone());
            }
        }
        root
    }

    fn read_file(&mut self, path: &Path) -> anyhow::Result<()> {
        let text = fs_err::read_to_string(path)?;
        let root = DeTable::parse(&text).with_context(|| format!("{} is not TOML", path.display()))?;
        for (section, content) in root.get_ref() {
            let line = line_of(&text, section.span().start);
            let DeValue::Table(content) = content.get_ref() else {
                bail!(
                    "{}:{line}: `{}` stands outside a section; {}",
                    path.display(),
                    section.get_ref(),
                    suggest(section.get_ref())
                );
            };
            for (name, value) in content {
                let line = line_of(&text, name.span().start);
                let key = format!("{}.{}", section.get_ref(), name.get_ref());
                let place = format!("{}:{line}", path.display());
                let Ok(setting) = Setting::find(&key) else {
                    bail!("{place}: there is no setting `{key}`; {}", suggest(&key));
                };
                let value = plain(value.get_ref()).map_err(|reason| anyhow::anyhow!("{place}: `{key}`: {reason}"))?;
                let value =
                    setting.kind.check(value).map_err(|reason| anyhow::anyhow!("{place}: `{key}`: {reason}"))?;
                self.values.insert(setting.key, (value, Origin::File { path: path.to_owned(), line }));
            }
        }
        Ok(())
    }

    fn read_variables(&mut self, environment: &Environment) -> anyhow::Result<()> {
        for (name, text) in environment.iter().filter(|(name, _)| name.starts_with("FOREBAY_")) {
            if OTHER_VARIABLES.contains(&name.as_str()) {
                continue;
            }
            let Some(setting) = SETTINGS.iter().find(|setting| setting.variable() == *name) else {
                let names: Vec<String> = SETTINGS.iter().map(Setting::variable).collect();
                let near = nearest(name, names.iter().map(String::as_str));
                bail!("environment: {name} sets nothing; the nearest that does is {near}");
            };
            let value = setting.kind.parse(text).map_err(|reason| anyhow::anyhow!("environment: {name}: {reason}"))?;
            self.values.insert(setting.key, (value, Origin::Variable(name.clone())));
        }
        Ok(())
    }

    fn read_flags(&mut self, flags: &ArgMatches) -> anyhow::Result<()> {
        for setting in SETTINGS {
            if flags.value_source(setting.key) != Some(ValueSource::CommandLine) {
                continue;
            }
            let Some(text) = flags.get_one::<String>(setting.key) else { continue };
            let flag = setting.flag();
            let value = setting.kind.parse(text).map_err(|reason| anyhow::anyhow!("--{flag}: {reason}"))?;
            self.values.insert(setting.key, (value, Origin::Flag(flag)));
        }
        Ok(())
    }
}

impl Setting {
    /// The value as a person may see it.
    pub(crate) fn shown(&self, value: &Value) -> Value {
        match (&self.kind, value.as_str()) {
            (Kind::Secret, Some(text)) if !text.is_empty() => Value::String("(set)".to_owned()),
            _ => value.clone(),
        }
    }
}

/// The file to read: one that was named must be there, the usual places need not.
fn find_file(named: Option<&Path>, environment: &Environment) -> anyhow::Result<Option<PathBuf>> {
    let named = named.map(Path::to_owned).or_else(|| environment.get("FOREBAY_CONFIG").map(PathBuf::from));
    if let Some(path) = named {
        if !path.is_file() {
            bail!("{}: there is no such configuration file", path.display());
        }
        return Ok(Some(path));
    }
    let user = environment
        .get("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .or_else(|| environment.get("HOME").map(|home| Path::new(home).join(".config")));
    let places = [
        Some(PathBuf::from("forebay.toml")),
        user.map(|user| user.join("forebay/forebay.toml")),
        Some(PathBuf::from("/etc/forebay/forebay.toml")),
    ];
    Ok(places.into_iter().flatten().find(|path| path.is_file()))
}

/// A scalar of the file as a plain value.
fn plain(value: &DeValue<'_>) -> Result<Value, String> {
    match value {
        DeValue::String(text) => Ok(Value::String(text.to_string())),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
            .map(Value::Integer)
            .map_err(|_| format!("{} is too large", number.as_str())),
        DeValue::Float(number) => {
            number.as_str().parse().map(Value::Float).map_err(|_| format!("{} is not a number", number.as_str()))
        }
        other => Err(format!("a {} stands where a single value is wanted", other.type_str())),
    }
}

fn suggest(key: &str) -> String {
    match Setting::find(key) {
        Ok(_) => String::new(),
        Err(near) => format!("the nearest is `{near}` (`forebay config` lists all)"),
    }
}

/// Line number, from 1, of the byte at `offset`.
fn line_of(text: &str, offset: usize) -> usize {
    text.get(..offset).unwrap_or(text).matches('\n').count() + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(arguments: &[&str]) -> ArgMatches {
        let command = SETTINGS.iter().fold(clap::Command::new("test").no_binary_name(true), |command, setting| {
            command.arg(clap::Arg::new(setting.key).long(setting.flag()))
        });
        command.get_matches_from(arguments)
    }

    fn environment(pairs: &[(&str, &str)]) -> Environment {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn file(text: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn the_stronger_place_wins() {
        let file = file("[search]\nk = 20\ntext_weight = 0.1\n[serve]\nk_max = 30\n");
        let environment = environment(&[("FOREBAY_SEARCH_K", "40"), ("FOREBAY_SERVE_K_MAX", "50")]);
        let effective = Effective::read(Some(file.path()), &environment, &flags(&["--serve-k-max", "60"])).unwrap();
        let origin = |key| effective.values[key].1.clone();
        let value = |key| effective.values[key].0.clone();
        assert_eq!(value("search.text_weight"), Value::Float(0.1));
        assert_eq!(origin("search.text_weight"), Origin::File { path: file.path().to_owned(), line: 3 });
        assert_eq!(
            (value("search.k"), origin("search.k")),
            (Value::Integer(40), Origin::Variable("FOREBAY_SEARCH_K".into()))
        );
        assert_eq!(
            (value("serve.k_max"), origin("serve.k_max")),
            (Value::Integer(60), Origin::Flag("serve-k-max".into()))
        );
        assert_eq!(origin("data.dir"), Origin::Default);
    }

    #[test]
    fn unknown_keys_name_their_place_and_their_neighbour() {
        let file = file("# a comment\n[serve]\nlisen = \"127.0.0.1:1\"\n");
        let error = Effective::read(Some(file.path()), &Environment::new(), &flags(&[])).err().unwrap().to_string();
        assert!(error.contains(":3: there is no setting `serve.lisen`; the nearest is `serve.listen`"), "{error}");

        let environment = environment(&[("FOREBAY_SERVE_LISEN", "x")]);
        let error = Effective::read(None, &environment, &flags(&[])).err().unwrap().to_string();
        assert!(error.contains("FOREBAY_SERVE_LISTEN"), "{error}");
    }

    #[test]
    fn a_wrong_value_names_where_it_stands() {
        let file = file("[search]\nk = \"ten\"\n");
        let error = Effective::read(Some(file.path()), &Environment::new(), &flags(&[])).err().unwrap().to_string();
        assert!(error.contains(":2: `search.k`: a string stands where a whole number is wanted"), "{error}");
    }

    #[test]
    fn a_named_file_must_exist() {
        let error = Effective::read(Some(Path::new("absent.toml")), &Environment::new(), &flags(&[])).err().unwrap();
        assert!(error.to_string().contains("absent.toml"));
    }
}
