//! `forebay search`: a question on the command line.

use std::io::{self, IsTerminal as _, Write};

use anyhow::Context as _;
use comfy_table::{ContentArrangement, Table, presets};
use forebay_api::{Answer, Hit, SearchRequest};
use forebay_event::feature::{DBYTES, DURATION, SBYTES};
use jiff::tz::TimeZone;

use crate::config::Config;
use crate::shown::{bytes, duration, end, printable, printable_lines, service, time};
use crate::target::Target;

/// Columns of the table where the output is not a terminal that tells its width.
const WIDTH_DEFAULT: u16 = 140;

/// Reasons shown for each hit; `--json` has all.
const REASONS_SHOWN: usize = 4;

/// Ask a question of the index: addresses, ports, services, times and amounts become exact filters, the words left over
/// rank what passes
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// The question in plain words; quotes are not needed
    #[arg(required = true, num_args = 1..)]
    question: Vec<String>,
    /// Hits wanted [default: what the question says, else search.k]
    #[arg(short, value_name = "N")]
    k: Option<usize>,
    /// The answer as JSON, whole
    #[arg(long)]
    json: bool,
    /// How the answer came about, with times
    #[arg(long)]
    explain: bool,
    /// Where the page before ended
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
    /// Also filter by this, as JSON (see docs/API.md)
    #[arg(long, value_name = "JSON")]
    filter: Option<String>,
    /// Leave this out of what was understood; may be given more than once
    #[arg(long, value_name = "TEXT")]
    drop: Vec<String>,
    /// Ask a running server
    #[arg(long, value_name = "URL")]
    url: Option<String>,
}

pub(crate) fn run(args: Args, config: &Config) -> anyhow::Result<()> {
    let filter = args.filter.as_deref().map(serde_json::from_str).transpose().context("--filter")?;
    let request = SearchRequest {
        query: args.question.join(" "),
        filter,
        k: args.k,
        explain: args.explain,
        cursor: args.cursor,
        drop: args.drop,
        time_zone: TimeZone::system().iana_name().map(str::to_owned),
        now_us: None,
    };
    let target = Target::open(config, args.url.as_deref())?;
    let answer = target.search(&request)?;
    let mut out = io::stdout().lock();
    if args.json {
        serde_json::to_writer(&mut out, &answer).map_err(io::Error::from)?;
        return Ok(writeln!(out)?);
    }
    show_reading(&answer, &mut out)?;
    if answer.hits.is_empty() {
        let held = if answer.matching == 0 { target.events()? } else { answer.matching };
        return Ok(writeln!(out, "{}", why_none(&answer, held, &target.how_to_fill(config)))?);
    }
    show(&answer, &mut out)
}

/// Why there are no hits, where the index holds `held` events, and what to do about it.
fn why_none(answer: &Answer, held: u64, how_to_fill: &str) -> String {
    if held == 0 {
        return format!("The index is empty. {how_to_fill}");
    }
    if answer.matching > 0 {
        return "Events pass the conditions, but none is like the words; try other words, or fewer.".to_owned();
    }
    "No event passes all the conditions; --drop TEXT leaves one out.".to_owned()
}

fn show(answer: &Answer, out: &mut impl Write) -> anyhow::Result<()> {
    writeln!(out, "{}", table(&answer.hits))?;
    let shown = answer.hits.len();
    writeln!(out, "{shown} of {} that match, in {}", answer.matching, duration(answer.took_us as f64))?;
    if let Some(cursor) = &answer.cursor {
        writeln!(out, "more: --cursor {}", printable(cursor))?;
    }
    if let Some(plan) = &answer.plan {
        writeln!(out, "plan: {}", printable_lines(&format!("{plan:#}")))?;
    }
    Ok(())
}

/// How the question was read.
fn show_reading(answer: &Answer, out: &mut impl Write) -> io::Result<()> {
    let kept: Vec<String> =
        answer.understood.iter().filter(|item| !item.dropped).map(|item| printable(&item.label)).collect();
    if !kept.is_empty() {
        writeln!(out, "only: {}", kept.join("; "))?;
    }
    if !answer.words.is_empty() {
        writeln!(out, "like: {}", printable(&answer.words))?;
    }
    for note in &answer.notes {
        let about = if note.text.is_empty() { String::new() } else { format!("\"{}\": ", printable(&note.text)) };
        writeln!(out, "note: {about}{}", printable(&note.reason))?;
    }
    Ok(())
}

fn table(hits: &[Hit]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_HORIZONTAL_ONLY).set_content_arrangement(ContentArrangement::Dynamic);
    if !io::stdout().is_terminal() {
        table.set_width(WIDTH_DEFAULT);
    }
    table.set_header(["time", "from, to", "what", "bytes", "lasted", "similar", "why"]);
    for hit in hits {
        table.add_row(row(hit));
    }
    table
}

fn row(hit: &Hit) -> [String; 7] {
    let event = &hit.event;
    let flow = &event.flow;
    let total = [SBYTES, DBYTES].iter().filter_map(|place| event.features.known(*place)).reduce(|a, b| a + b);
    let lasted = event.features.known(DURATION).unwrap_or_else(|| event.end_us.saturating_sub(event.start_us) as f64);
    let mut what = vec![service(event)];
    what.extend(event.app.host.as_deref().map(printable));
    what.extend(event.class.verdict.map(|verdict| verdict.as_str().to_owned()));
    let mut why: Vec<String> = hit.reasons.iter().take(REASONS_SHOWN).map(|reason| printable(&reason.text)).collect();
    why.push(event.event_id.to_string());
    [
        time(event.start_us),
        format!("{}\n{}", end(flow.src_ip, flow.src_port), end(flow.dst_ip, flow.dst_port)),
        what.join("\n"),
        total.map_or_else(|| "?".to_owned(), bytes),
        duration(lasted),
        hit.similarity.map_or_else(String::new, |similarity| format!("{similarity:.2}")),
        why.join("\n"),
    ]
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn answer(matching: u64) -> Answer {
        let none: [u8; 0] = [];
        let facets = serde_json::to_value(forebay_api::Facets::default()).unwrap();
        serde_json::from_value(json!({
            "understood": none, "words": "", "notes": none, "matching": matching, "hits": none, "timeline": none,
            "facets": facets, "cursor": "x\u{1b}[2J", "took_us": 5, "plan": {"a\u{9b}2J": "\u{202e}"},
        }))
        .unwrap()
    }

    #[test]
    fn an_empty_index_is_called_empty_and_nothing_else_is() {
        let fill = "Fill it so.";
        assert_eq!(why_none(&answer(0), 0, fill), "The index is empty. Fill it so.");
        assert!(why_none(&answer(0), 7, fill).contains("--drop"));
        assert!(why_none(&answer(7), 7, fill).contains("words"));
    }

    #[test]
    fn nothing_of_an_answer_drives_the_terminal() {
        let mut out = Vec::new();
        show(&answer(1), &mut out).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("\\u{1b}[2J") && text.contains("\\u{9b}2J") && text.contains("\\u{202e}"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{9b}', '\u{202e}']), "{text}");
    }
}
