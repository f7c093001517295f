//! Writes COUNT events of the bundled capture, over and over with other identifiers, as lines of JSON: `events COUNT`.

use std::io::Write as _;

use forebay_event::jsonl;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let count: usize = std::env::args().nth(1).ok_or("events COUNT")?.parse()?;
    let mut out = std::io::BufWriter::new(std::io::stdout().lock());
    let mut line = Vec::new();
    for event in forebay_benches::repeated(count)? {
        line.clear();
        jsonl::write(&event, &mut line);
        line.push(b'\n');
        out.write_all(&line)?;
    }
    Ok(out.flush()?)
}
