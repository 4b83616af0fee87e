//! The command line that continues an interrupted run, to be pasted into a shell.

use std::env;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, CommandFactory};
use shlex::bytes::try_join;

use crate::arguments::Arguments;
use crate::job;
use crate::setting_arguments::SettingArguments;

/// Flags of `train` that say how a run begins. A checkpoint holds the settings.
const BEGINNING: [&str; 3] = ["load", "resume", "print_config"];

/// The flags that a resumed run is given again, as they were given.
#[derive(Debug)]
pub(crate) struct ResumeCommand {
    flags: Vec<OsString>,
    names_save: bool,
}

impl ResumeCommand {
    /// From what was given to `train`.
    pub(crate) fn new(given: &ArgMatches) -> Self {
        let settings = SettingArguments::augment_args(Command::new("settings"));
        let is_setting = |id: &str| settings.get_arguments().any(|setting| setting.get_id() == id);
        let mut resume = Self { flags: Vec::new(), names_save: false };
        let command = Arguments::command();
        let train = command.find_subcommand("train").into_iter().flat_map(Command::get_arguments);
        for argument in train {
            let id = argument.get_id().as_str();
            let is_given = matches!(given.try_contains_id(id), Ok(true))
                && given.value_source(id) == Some(ValueSource::CommandLine);
            let Some(name) = argument.get_long().filter(|_| is_given) else { continue };
            if is_setting(id) || BEGINNING.contains(&id) {
                continue;
            }
            resume.names_save |= id == "save";
            if argument.get_action().takes_values() {
                let values = given.get_raw(id).into_iter().flatten();
                values.for_each(|value| resume.flags.extend(flag(name, value)));
            } else {
                resume.flags.push(format!("--{name}").into());
            }
        }
        resume
    }

    /// The whole command for a checkpoint. A run that was to be saved nowhere is saved there from now on.
    pub(crate) fn text(&self, checkpoint: &Path) -> Vec<u8> {
        let program = env::args_os().next().unwrap_or_else(|| "adadagrad".into());
        let mut words = match job::ranks() {
            1 => Vec::new(),
            ranks => vec!["mpirun".into(), "-n".into(), ranks.to_string().into()],
        };
        words.extend([program, "train".into()]);
        words.extend(flag("resume", checkpoint.as_os_str()));
        if !self.names_save {
            words.extend(flag("save", checkpoint.as_os_str()));
        }
        words.extend(self.flags.iter().cloned());
        // Only a zero byte cannot be quoted, and no argument holds one.
        try_join(words.iter().map(|word| word.as_encoded_bytes())).unwrap_or_default()
    }
}

/// A flag with its value, in one word where the value looks like a flag.
fn flag(name: &str, value: &OsStr) -> Vec<OsString> {
    let mut flag = OsString::from(format!("--{name}"));
    if value.as_encoded_bytes().starts_with(b"-") {
        flag.push("=");
        flag.push(value);
        return vec![flag];
    }
    vec![flag, value.to_owned()]
}
