//! What is written from the core's table of settings: the page's table, the types of the page's module, and the tables
//! of the documentation. With `WRITE_GENERATED=1` they are written, otherwise compared.

use std::fmt::Write;
use std::fs;
use std::path::Path;

use adadagrad_core::augmentation::Augmentation;
use adadagrad_core::batch_test::AnyTest;
use adadagrad_core::config::RunConfig;
use adadagrad_core::controller::{AnyController, Words};
use adadagrad_core::optimizer::AnyOptimizer;
use adadagrad_core::schedule::{Decay, Schedule};
use adadagrad_core::settings::{Choice, Choices, DefaultValue, Field, Range, Settings};
use adadagrad_core::text::TextSettings;

/// A part that is chosen by name: its constant in the page's table, its type, its place, its title and its choices.
struct Part {
    table: &'static str,
    interface: &'static str,
    title: &'static str,
    choices: &'static [Choice],
}

const PARTS: [Part; 4] = [
    Part {
        table: "OPTIMIZER_ROWS",
        interface: "Optimizer",
        title: "Optimizers",
        choices: AnyOptimizer::CHOICES,
    },
    Part { table: "TEST_ROWS", interface: "BatchTest", title: "Batch-size tests", choices: AnyTest::CHOICES },
    Part {
        table: "CONTROLLER_ROWS",
        interface: "Controller",
        title: "Rules for the next batch size",
        choices: AnyController::CHOICES,
    },
    Part { table: "DECAY_ROWS", interface: "Decay", title: "Learning-rate decays", choices: Decay::CHOICES },
];

const OWN: [(&str, &[Field]); 4] = [
    ("RUN_ROWS", RunConfig::ABOUT.fields),
    ("SCHEDULE_ROWS", Schedule::ABOUT.fields),
    ("AUGMENTATION_ROWS", Augmentation::ABOUT.fields),
    ("TEXT_ROWS", TextSettings::ABOUT.fields),
];

/// Writes the file, or compares it.
fn check(file: &str, wanted: &str) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
    if std::env::var_os("WRITE_GENERATED").is_some_and(|value| value == "1") {
        fs::write(&path, wanted).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default().replace("\r\n", "\n");
    assert!(
        found == wanted,
        "{file} does not match the table of settings: run the tests with WRITE_GENERATED=1"
    );
}

/// A text as TypeScript has it.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn row(field: &Field) -> String {
    let Field { name, title, symbol, doc, default, texts, range, retunable, .. } = *field;
    let (kind, value) = match default {
        DefaultValue::Number(number) => ("number", serde_json::Value::from(number)),
        DefaultValue::Optional(number) => ("optional", number.into()),
        DefaultValue::Size(number) => ("size", number.into()),
        DefaultValue::Count(number) => ("count", number.into()),
        DefaultValue::Switch(is_on) => ("switch", is_on.into()),
        DefaultValue::Text(text) => ("text", text.into()),
    };
    let value = value.as_str().map_or_else(|| value.to_string(), quoted);
    let texts: Vec<_> = texts.iter().map(|text| quoted(text)).collect();
    let least = match (kind, range) {
        ("size" | "count", Range::Closed(least, _)) => least,
        _ => 0.0,
    };
    let range = if is_open(range) { String::new() } else { range.to_string() };
    format!(
        "{{ name: {}, title: {}, symbol: {}, doc: {}, kind: '{kind}', default: {value}, least: {least}, texts: [{}], \
         range: {}, retunable: {retunable} }}",
        quoted(name),
        quoted(title),
        quoted(symbol),
        quoted(doc),
        texts.join(", "),
        quoted(&range),
    )
}

/// Whether a range is no news to anybody: it has no upper end, or only that of whole numbers.
fn is_open(range: Range) -> bool {
    match range {
        Range::Any => true,
        Range::Closed(_, most) | Range::Between(_, most) => most >= f64::from(u32::MAX),
        Range::Above(_, most) | Range::Below(_, most) => most > 1e30,
    }
}

#[test]
fn the_page_s_table() {
    let mut text = String::from(
        "/** The core’s table of settings, written by the tests with WRITE_GENERATED=1: change it in the core. */\n\
         import type { Choice, Row } from './rows.js';\n",
    );
    for Part { table, choices, .. } in PARTS {
        writeln!(text, "\nexport const {table} = [").unwrap();
        for Choice { name, title, doc, source, fields } in choices {
            writeln!(text, "  {{").unwrap();
            writeln!(text, "    name: {},", quoted(name)).unwrap();
            writeln!(text, "    title: {},", quoted(title)).unwrap();
            writeln!(text, "    doc: {},", quoted(doc)).unwrap();
            writeln!(text, "    source: {},", quoted(source)).unwrap();
            let rule = AnyController::named(name).filter(|_| table == "CONTROLLER_ROWS");
            if let Some(Words { grew, shrank, kept, against }) = rule.map(|rule| *rule.words()) {
                writeln!(text, "    words: {{").unwrap();
                for (key, words) in [("grew", grew), ("shrank", shrank), ("kept", kept), ("against", against)]
                {
                    writeln!(text, "      {key}: {},", quoted(words)).unwrap();
                }
                writeln!(text, "    }},").unwrap();
            }
            if fields.is_empty() {
                writeln!(text, "    fields: [],").unwrap();
            } else {
                writeln!(text, "    fields: [").unwrap();
                for field in *fields {
                    writeln!(text, "      {},", row(field)).unwrap();
                }
                writeln!(text, "    ],").unwrap();
            }
            writeln!(text, "  }},").unwrap();
        }
        writeln!(text, "] as const satisfies readonly Choice[];").unwrap();
    }
    for (table, fields) in OWN {
        writeln!(text, "\nexport const {table} = [").unwrap();
        for field in fields {
            writeln!(text, "  {},", row(field)).unwrap();
        }
        writeln!(text, "] as const satisfies readonly Row[];").unwrap();
    }
    check("www/src/settings/table.ts", &text);
}

#[test]
fn the_types_of_the_page_s_module() {
    let mut text = String::from(
        "/** What is chosen by name, with its settings: written from the core's table of settings. */\n",
    );
    for Part { interface, choices, .. } in PARTS {
        write!(text, "\nexport type {interface} =").unwrap();
        for Choice { name, fields, .. } in choices {
            write!(text, "\n  | {{ name: \"{name}\"").unwrap();
            for field in *fields {
                let kind = match field.default {
                    DefaultValue::Number(_) | DefaultValue::Size(_) | DefaultValue::Count(_) => {
                        "number".to_owned()
                    }
                    DefaultValue::Optional(_) => "number | null".to_owned(),
                    DefaultValue::Switch(_) => "boolean".to_owned(),
                    DefaultValue::Text(_) if field.texts.is_empty() => "string".to_owned(),
                    DefaultValue::Text(_) => {
                        field.texts.iter().map(|text| format!("\"{text}\"")).collect::<Vec<_>>().join(" | ")
                    }
                };
                write!(text, "; {}: {kind}", field.name).unwrap();
            }
            write!(text, " }}").unwrap();
        }
        writeln!(text, ";").unwrap();
    }
    check("web/typescript/settings.d.ts", &text);
}

#[test]
fn the_documentation_s_tables() {
    let mut text = String::from(
        "# Settings\n\n\
         The parts of a run description that are chosen by name, and all settings. Files, the page's address and\n\
         `RunConfig` use these names. On the command line they are flags with dashes instead of underscores, such as\n\
         `--test norm --eta 0.5`; those of a rule have a prefix: `--controller smith --controller-factor 4`.\n\
         `adadagrad train --help` lists all flags. *During a run* says whether a setting may change during a run, on the\n\
         page or with `Trainer::retune`. A run that the program resumes from a checkpoint keeps all settings except\n",
    );
    let fields = OWN.iter().flat_map(|(_, fields)| *fields);
    let resumable: Vec<_> =
        fields.filter(|field| field.resumable).map(|field| format!("`{}`", field.name)).collect();
    writeln!(
        text,
        "{}. This page is generated from the table of settings in `core`.",
        resumable.join(" and ")
    )
    .unwrap();
    let cell = |text: &str| text.replace('|', "\\|");
    let line = |text: &mut String, field: &Field| {
        let Field { name, symbol, default, texts, range, retunable, doc, .. } = *field;
        let may = if retunable { "may change" } else { "stays" };
        let symbol = if symbol.is_empty() { String::new() } else { format!(" ({symbol})") };
        let range = match default {
            DefaultValue::Switch(_) => "true or false".to_owned(),
            DefaultValue::Text(_) if texts.is_empty() => "a list".to_owned(),
            DefaultValue::Text(_) => texts.join(", "),
            _ => range.to_string(),
        };
        writeln!(text, "| `{name}`{symbol} | {default} | {range} | {may} | {} |", cell(doc)).unwrap();
    };
    let head = "| Setting | Default | Allowed | During a run | Meaning |\n|---|---|---|---|---|\n";
    for Part { title, choices, .. } in PARTS {
        writeln!(text, "\n## {title}").unwrap();
        for Choice { name, title, doc, source, fields } in choices {
            let source = if source.is_empty() { String::new() } else { format!(" ({source})") };
            writeln!(text, "\n### `{name}`: {title}\n\n{doc}{source}").unwrap();
            if !fields.is_empty() {
                write!(text, "\n{head}").unwrap();
                fields.iter().for_each(|field| line(&mut text, field));
            }
        }
    }
    writeln!(text, "\n## Other settings of a run\n\nDefaults are those of the preset `quick`.\n").unwrap();
    text.push_str(head);
    OWN.iter().flat_map(|(_, fields)| *fields).for_each(|field| line(&mut text, field));
    check("docs/settings.md", &text);
}
