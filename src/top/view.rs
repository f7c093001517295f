//! Draws. Everything fits into 80 columns and 24 rows; more room shows more buffers and longer arrivals.

use forebay_predictor::sidecar::BufferReport;
use forebay_predictor::target::show_size;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Paragraph, Row, Sparkline, Table, TableState};

use super::model::Model;
use crate::shown::printable;

/// Columns of the bar of a buffer's fill.
const FILL_COLUMNS: usize = 10;

/// Columns of the bar of the budget.
const BUDGET_COLUMNS: usize = 20;

/// Eighths of a block, for bars of arrivals.
const EIGHTHS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// Columns of the table that are not arrivals: name, kind, port, fill, queued, limit, drops, and the gaps between them.
const FIXED_COLUMNS: u16 = 14 + 4 + 5 + FILL_COLUMNS as u16 + 6 + 6 + 8 + 7;

pub(super) fn draw(frame: &mut Frame<'_>, model: &Model) {
    let [head, table, close] =
        Layout::vertical([Constraint::Length(2), Constraint::Min(3), Constraint::Length(8)]).areas(frame.area());
    frame.render_widget(Paragraph::new(summary(model)), head);
    draw_table(frame, table, model);
    if let Some(buffer) = model.report.buffers.get(model.chosen) {
        draw_close(frame, close, model, buffer);
    }
}

fn summary(model: &Model) -> Vec<Line<'static>> {
    let report = &model.report;
    let mut first = vec![
        Span::styled("forebay top", Style::new().add_modifier(Modifier::BOLD)),
        Span::raw(format!(
            "  {}  {} buffers  tick {} us  look {} us",
            report.policy,
            report.buffers.len(),
            report.tick_us,
            report.pass_us
        )),
    ];
    if report.dry_run {
        first.push(Span::styled("  DRY RUN", Style::new().fg(Color::Yellow)));
    }
    let second = if let Some(trouble) = &model.trouble {
        Line::styled(format!("no answer: {}", printable(trouble)), Style::new().fg(Color::Red))
    } else {
        let used = bar(report.committed_bytes, report.budget_bytes, BUDGET_COLUMNS);
        let (committed, budget) = (show_size(report.committed_bytes), show_size(report.budget_bytes));
        let queued = show_size(report.queued_bytes);
        let short = if report.is_short { "  SHORT" } else { "" };
        Line::raw(format!("budget {used} {committed} of {budget} given, {queued} filled{short}"))
    };
    vec![Line::from(first), second]
}

fn draw_table(frame: &mut Frame<'_>, area: Rect, model: &Model) {
    let columns = usize::from(area.width.saturating_sub(FIXED_COLUMNS));
    let rows = model.report.buffers.iter().map(|buffer| {
        let style = if is_tight(buffer) { Style::new().fg(Color::Red) } else { Style::new() };
        let cells = [
            shorten(&printable(&buffer.program), 14),
            kind(buffer),
            buffer.port.to_string(),
            bar(buffer.queued_bytes, buffer.ceiling_bytes, FILL_COLUMNS),
            format!("{:>6}", show_size(buffer.queued_bytes)),
            format!("{:>6}", show_size(buffer.ceiling_bytes)),
            format!("{:>8}", buffer.dropped_packets),
            spark(&model.arrivals(buffer.id, columns)),
        ];
        Row::new(cells).style(style)
    });
    let widths = [
        Constraint::Length(14),
        Constraint::Length(4),
        Constraint::Length(5),
        Constraint::Length(FILL_COLUMNS as u16),
        Constraint::Length(6),
        Constraint::Length(6),
        Constraint::Length(8),
        Constraint::Min(4),
    ];
    let header = Row::new(["PROGRAM", "KIND", "PORT", "FILL", "QUEUED", " LIMIT", "   DROPS", "ARRIVALS"])
        .style(Style::new().add_modifier(Modifier::BOLD | Modifier::UNDERLINED));
    let table = Table::new(rows, widths)
        .header(header)
        .column_spacing(1)
        .row_highlight_style(Style::new().add_modifier(Modifier::REVERSED));
    let chosen = (!model.report.buffers.is_empty()).then_some(model.chosen);
    frame.render_stateful_widget(table, area, &mut TableState::new().with_selected(chosen));
}

/// The chosen buffer: what it was, what it should be, the forecast, arrivals over the whole width.
fn draw_close(frame: &mut Frame<'_>, area: Rect, model: &Model, buffer: &BufferReport) {
    let title = format!(" {} · {} · pid {} ", printable(&buffer.target), printable(&buffer.program), buffer.pid);
    let block = Block::new().borders(Borders::TOP).title(title);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    let [text, chart] = Layout::vertical([Constraint::Length(3), Constraint::Min(1)]).areas(inner);
    let state = if buffer.is_applied { "set" } else { "only recommended" };
    let sizes = format!(
        "limit {}, should be {} ({state}), was {}",
        show_size(buffer.ceiling_bytes),
        show_size(buffer.recommended_bytes),
        show_size(buffer.original_bytes)
    );
    let arrivals = model.arrivals(buffer.id, usize::from(chart.width));
    let most = arrivals.iter().max().copied().unwrap_or(0);
    let counted = if buffer.is_counted { "counted" } else { "at least, by the queue" };
    let lines = [
        Line::raw(sizes),
        Line::raw(band(buffer, usize::from(text.width))),
        Line::raw(format!("arrivals a second, {counted}; highest {}", show_size(most))),
    ];
    frame.render_widget(Paragraph::new(lines.to_vec()), text);
    frame.render_widget(Sparkline::default().data(&arrivals).max(most.max(1)), chart);
}

/// The forecast band on the scale of the limit: `-` up to the middle forecast, `=` up to .9, `~` up to .999, `|` the queue now.
fn band(buffer: &BufferReport, width: usize) -> String {
    let Some([middle, high, _, highest]) = buffer.forecast_bytes else {
        return "no forecast: this rule looks back only".to_owned();
    };
    let figures = format!(" {} {} {}", show_size(middle), show_size(high), show_size(highest));
    let columns = width.saturating_sub("forecast ".len() + figures.len()).min(60);
    let scale = buffer.ceiling_bytes.max(highest).max(1);
    let place = |bytes: u64| (bytes as f64 / scale as f64 * columns as f64) as usize;
    let mut cells = vec![' '; columns];
    for (at, cell) in cells.iter_mut().enumerate() {
        *cell = match at {
            at if at < place(middle) => '-',
            at if at < place(high) => '=',
            at if at < place(highest) => '~',
            _ => ' ',
        };
    }
    if let Some(cell) = cells.get_mut(place(buffer.queued_bytes).min(columns.saturating_sub(1))) {
        *cell = '|';
    }
    format!("forecast {}{figures}", cells.into_iter().collect::<String>())
}

/// Whether the queue is near its limit.
const fn is_tight(buffer: &BufferReport) -> bool {
    buffer.queued_bytes.saturating_mul(10) >= buffer.ceiling_bytes.saturating_mul(9)
}

fn kind(buffer: &BufferReport) -> String {
    use forebay_predictor::target::Kind::{Pipe, Tcp, TcpListener, Udp};
    match buffer.kind {
        Udp => "udp",
        TcpListener => "tcpl",
        Tcp => "tcp",
        Pipe => "pipe",
    }
    .to_owned()
}

/// `part` of `whole` as a bar of `columns`.
fn bar(part: u64, whole: u64, columns: usize) -> String {
    let share = if whole == 0 { 0.0 } else { (part as f64 / whole as f64).min(1.0) };
    let filled = (share * columns as f64).round() as usize;
    let filled = if part > 0 { filled.max(1) } else { 0 };
    "█".repeat(filled) + &"░".repeat(columns - filled)
}

/// Values as a line of blocks, scaled to the largest.
fn spark(values: &[u64]) -> String {
    let most = values.iter().max().copied().unwrap_or(0);
    let block = |value: &u64| match (*value, most) {
        (0, _) | (_, 0) => ' ',
        (value, most) => EIGHTHS[((value as f64 / most as f64 * 7.0).round() as usize).min(7)],
    };
    values.iter().map(block).collect()
}

fn shorten(text: &str, columns: usize) -> String {
    text.chars().take(columns).collect()
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::model::tests::{buffer, report};
    use super::*;

    fn screen(width: u16, height: u16, model: &Model) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, model)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let rows = buffer.content.chunks(usize::from(width));
        rows.map(|row| row.iter().map(ratatui::buffer::Cell::symbol).collect::<String>() + "\n").collect()
    }

    fn model() -> Model {
        let mut model = Model::default();
        for (time_us, arrived_bytes) in [(0, 0), (1_000_000, 1_000_000), (2_000_000, 5_000_000)] {
            let tight = BufferReport { id: 2, queued_bytes: 4_100_000, arrived_bytes, port: 2055, ..buffer(2) };
            let forecast_bytes = Some([1 << 20, 2 << 20, 3 << 20, 4 << 20]);
            let mut shown = report(time_us, vec![BufferReport { forecast_bytes, ..buffer(1) }, tight]);
            shown.committed_bytes = 32 << 20;
            model.take(shown);
        }
        model
    }

    #[test]
    fn everything_is_on_a_screen_of_80_by_24() {
        let text = screen(80, 24, &model());
        for part in [
            "forebay top  max_of_window  2 buffers",
            "budget ██████████░░░░░░░░░░ 32.0M of 64.0M given",
            "rsyslogd       udp  514   ███░░░░░░░",
            "██████████   3.9M   4.0M       17 ▃█",
            "port:514 · rsyslogd · pid 42",
            "limit 4.0M, should be 4.0M (set), was 208K",
            "forecast --",
            "1.0M 2.0M 4.0M",
        ] {
            assert!(text.contains(part), "{part} is missing in\n{text}");
        }
        assert!(text.lines().all(|line| line.chars().count() == 80));
    }

    #[test]
    fn no_buffers_no_answer_and_no_room_are_drawn_as_well() {
        let mut nobody = Model::default();
        assert!(screen(80, 24, &nobody).contains("0 buffers"));
        nobody.lost("no sidecar answers\u{1b}[2J".to_owned());
        let text = screen(80, 24, &nobody);
        assert!(text.contains("no answer: no sidecar answers\\u{1b}[2J"), "{text}");
        for (width, height) in [(1, 1), (10, 3), (80, 5), (300, 100)] {
            screen(width, height, &model());
        }
    }

    #[test]
    fn many_buffers_scroll_to_the_chosen_one() {
        let mut model = Model::default();
        let buffers = (0..100).map(|id| BufferReport { port: 1_000 + id as u16, ..buffer(id) }).collect();
        model.take(report(1, buffers));
        model.choose(99);
        assert!(screen(80, 24, &model).contains(" 1099 "));
    }

    #[test]
    fn bars_show_a_little_as_something() {
        assert_eq!(bar(1, 1 << 30, 4), "█░░░");
        assert_eq!(bar(0, 0, 4), "░░░░");
        assert_eq!(bar(9, 3, 4), "████");
        assert_eq!(spark(&[0, 1, 8]), " ▂█");
    }
}
