//! Which feature of ours is which column of theirs, and how ours is converted.
#![allow(unreachable_pub)] // a module of an example
#![allow(clippy::unnecessary_wraps)] // all conversions have one shape, and some have nothing to compare

use forebay_event::Event;
use forebay_event::feature as f;

/// Another meter.
pub struct Tool {
    pub name: &'static str,
    pub file: &'static str,
    /// Resolution of its times.
    pub tick_us: i64,
    /// How far one of its times may be off, in its unit.
    pub slack: f64,
    pub active_timeout_us: i64,
    /// The key of one of its flows, and when it ends, in ticks.
    pub key: fn(&Fields<'_, '_>) -> Option<(super::Key, i64)>,
    /// Columns that add up to the packets of a flow.
    pub packets: [&'static str; 2],
    pub host: Option<&'static str>,
    pub host_why_not: &'static str,
    pub rows: &'static [Row],
}

/// One field of a line by its name.
pub type Fields<'a, 'b> = dyn Fn(&str) -> &'a str + 'b;

/// One feature.
pub struct Row {
    pub feature: &'static str,
    pub column: &'static str,
    /// Ours in their terms; `None` where the two cannot be compared.
    pub ours: fn(&Event) -> Option<f64>,
    pub is_time: bool,
    /// What was converted, in words.
    pub how: &'static str,
    pub why_not: &'static str,
}

pub static NFSTREAM: Tool = Tool {
    name: "nfstream 6.6.0 (accounting_mode=1)",
    file: "nfstream_6.6.0.csv.gz",
    tick_us: 1000,
    slack: 1.0,
    active_timeout_us: 1_800_000_000,
    key: nfstream_key,
    packets: ["src2dst_packets", "dst2src_packets"],
    host: Some("requested_server_name"),
    host_why_not: NF_HOST,
    rows: NFSTREAM_ROWS,
};

pub static CICFLOWMETER: Tool = Tool {
    name: "CICFlowMeter, corrected (GintsEngelen 4dd5319)",
    file: "cicflowmeter_java_engelen_4dd5319.csv.gz",
    tick_us: 1,
    slack: 0.0,
    active_timeout_us: 120_000_000,
    key: cicflowmeter_key,
    packets: ["Total Fwd Packet", "Total Bwd packets"],
    host: None,
    host_why_not: "",
    rows: CICFLOWMETER_ROWS,
};

const NF_HOST: &str =
    "of several names in one flow it keeps another than the first; it writes `_` for `*`, and drops parts of a name";
const NF_STD: &str = "its gaps are cut to milliseconds: a deviation over two gaps can be off by more than one tick";
const CIC_WAY: &str = "it tells directions by address alone: where both ends have the same one, everything is forward";
const CIC_PAYLOAD: &str = "it counts what was captured behind the header: padding of Ethernet too, not what the snapshot length cut off; nothing for protocols other than TCP and UDP; directions by address alone";
const CIC_HEADER: &str = "it gives protocols other than TCP and UDP no header; directions by address alone";
const CIC_BACK: &str = "a packet older than the one before it: it takes a negative gap, we hold the time";
const CIC_ACTIVE: &str = "it leaves out the last active period, so that a flow without a pause has none";
const CIC_BULK: &str = "follows from its payload and its directions";
const CIC_SUBFLOW: &str = "it writes 0 where there is one subflow, and divides by one less than there are otherwise";

fn nfstream_key(field: &Fields<'_, '_>) -> Option<(super::Key, i64)> {
    let start = field("bidirectional_first_seen_ms").parse().ok()?;
    let end = field("bidirectional_last_seen_ms").parse().ok()?;
    let side = |ip: &str, port: &str| Some(format!("{} {}", field(ip).parse::<std::net::IpAddr>().ok()?, field(port)));
    let (src, dst) = (side("src_ip", "src_port")?, side("dst_ip", "dst_port")?);
    Some(((field("pcap").to_owned(), src, dst, field("protocol").parse().ok()?, start), end))
}

fn cicflowmeter_key(field: &Fields<'_, '_>) -> Option<(super::Key, i64)> {
    let start = timestamp_us(field("Timestamp"))?;
    let end = start + field("Flow Duration").parse::<i64>().ok()?;
    let side = |ip: &str, port: &str| Some(format!("{} {}", field(ip).parse::<std::net::IpAddr>().ok()?, field(port)));
    let (src, dst) = (side("Src IP", "Src Port")?, side("Dst IP", "Dst Port")?);
    Some(((field("pcap").to_owned(), src, dst, field("Protocol").parse().ok()?, start), end))
}

/// `2016-04-15 15:08:49.233553`, UTC.
fn timestamp_us(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(' ')?;
    let mut date = date.splitn(3, '-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (date.next()??, date.next()??, date.next()??);
    let (time, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut time = time.splitn(3, ':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (time.next()??, time.next()??, time.next()??);
    // Days from civil: years begin in March, so that the leap day is the last.
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1 - 719_468;
    let fraction: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000_000 + fraction)
}

fn at(event: &Event, place: usize) -> Option<f64> {
    Some(event.features.0[place])
}

fn ms(event: &Event, place: usize) -> Option<f64> {
    Some(event.features.0[place] / 1000.0)
}

pub fn packets(event: &Event) -> f64 {
    event.features.0[f::SPKTS] + event.features.0[f::DPKTS]
}

/// A deviation divided by n - 1, as both tools have it, from ours divided by n.
fn sample(event: &Event, place: usize, count: f64) -> Option<f64> {
    Some(if count < 2.0 { 0.0 } else { event.features.0[place] * (count / (count - 1.0)).sqrt() })
}

const AS_IS: &str = "";
const MS: &str = "milliseconds";
const SAMPLE: &str = "divided by n - 1";
const SAMPLE_MS: &str = "milliseconds, divided by n - 1";

macro_rules! rows {
    ($($feature:literal, $column:literal, $time:literal, $how:expr, $why:expr, $ours:expr;)*) => {
        &[$(Row { feature: $feature, column: $column, ours: $ours, is_time: $time, how: $how, why_not: $why }),*]
    };
}

static NFSTREAM_ROWS: &[Row] = rows![
    "duration", "bidirectional_duration_ms", true, MS, "", |e| ms(e, f::DURATION);
    "spkts", "src2dst_packets", false, AS_IS, "", |e| at(e, f::SPKTS);
    "dpkts", "dst2src_packets", false, AS_IS, "", |e| at(e, f::DPKTS);
    "sbytes", "src2dst_bytes", false, AS_IS, "", |e| at(e, f::SBYTES);
    "dbytes", "dst2src_bytes", false, AS_IS, "", |e| at(e, f::DBYTES);
    "packet_len_min", "bidirectional_min_ps", false, AS_IS, "", |e| at(e, f::PACKET_LEN_MIN);
    "packet_len_mean", "bidirectional_mean_ps", false, AS_IS, "", |e| at(e, f::PACKET_LEN_MEAN);
    "packet_len_std", "bidirectional_stddev_ps", false, SAMPLE, "", |e| sample(e, f::PACKET_LEN_STD, packets(e));
    "packet_len_max", "bidirectional_max_ps", false, AS_IS, "", |e| at(e, f::PACKET_LEN_MAX);
    "fwd_len_min", "src2dst_min_ps", false, AS_IS, "", |e| at(e, f::FWD_LEN_MIN);
    "smean", "src2dst_mean_ps", false, AS_IS, "", |e| at(e, f::SMEAN);
    "fwd_len_std", "src2dst_stddev_ps", false, SAMPLE, "", |e| sample(e, f::FWD_LEN_STD, e.features.0[f::SPKTS]);
    "fwd_len_max", "src2dst_max_ps", false, AS_IS, "", |e| at(e, f::FWD_LEN_MAX);
    "bwd_len_min", "dst2src_min_ps", false, AS_IS, "", |e| at(e, f::BWD_LEN_MIN);
    "dmean", "dst2src_mean_ps", false, AS_IS, "", |e| at(e, f::DMEAN);
    "bwd_len_std", "dst2src_stddev_ps", false, SAMPLE, "", |e| sample(e, f::BWD_LEN_STD, e.features.0[f::DPKTS]);
    "bwd_len_max", "dst2src_max_ps", false, AS_IS, "", |e| at(e, f::BWD_LEN_MAX);
    "flow_iat_min", "bidirectional_min_piat_ms", true, MS, "", |e| ms(e, f::FLOW_IAT_MIN);
    "flow_iat_mean", "bidirectional_mean_piat_ms", true, MS, "", |e| ms(e, f::FLOW_IAT_MEAN);
    "flow_iat_std", "bidirectional_stddev_piat_ms", true, SAMPLE_MS, NF_STD, |e| Some(sample(e, f::FLOW_IAT_STD, packets(e) - 1.0)? / 1000.0);
    "flow_iat_max", "bidirectional_max_piat_ms", true, MS, "", |e| ms(e, f::FLOW_IAT_MAX);
    "fwd_iat_min", "src2dst_min_piat_ms", true, MS, "", |e| ms(e, f::FWD_IAT_MIN);
    "fwd_iat_mean", "src2dst_mean_piat_ms", true, MS, "", |e| ms(e, f::FWD_IAT_MEAN);
    "fwd_iat_std", "src2dst_stddev_piat_ms", true, SAMPLE_MS, NF_STD, |e| Some(sample(e, f::FWD_IAT_STD, e.features.0[f::SPKTS] - 1.0)? / 1000.0);
    "fwd_iat_max", "src2dst_max_piat_ms", true, MS, "", |e| ms(e, f::FWD_IAT_MAX);
    "bwd_iat_min", "dst2src_min_piat_ms", true, MS, "", |e| ms(e, f::BWD_IAT_MIN);
    "bwd_iat_mean", "dst2src_mean_piat_ms", true, MS, "", |e| ms(e, f::BWD_IAT_MEAN);
    "bwd_iat_std", "dst2src_stddev_piat_ms", true, SAMPLE_MS, NF_STD, |e| Some(sample(e, f::BWD_IAT_STD, e.features.0[f::DPKTS] - 1.0)? / 1000.0);
    "bwd_iat_max", "dst2src_max_piat_ms", true, MS, "", |e| ms(e, f::BWD_IAT_MAX);
    "syn_flag_count", "bidirectional_syn_packets", false, AS_IS, "", |e| at(e, f::SYN_FLAG_COUNT);
    "fin_flag_count", "bidirectional_fin_packets", false, AS_IS, "", |e| at(e, f::FIN_FLAG_COUNT);
    "rst_flag_count", "bidirectional_rst_packets", false, AS_IS, "", |e| at(e, f::RST_FLAG_COUNT);
    "psh_flag_count", "bidirectional_psh_packets", false, AS_IS, "", |e| at(e, f::PSH_FLAG_COUNT);
    "ack_flag_count", "bidirectional_ack_packets", false, AS_IS, "", |e| at(e, f::ACK_FLAG_COUNT);
    "urg_flag_count", "bidirectional_urg_packets", false, AS_IS, "", |e| at(e, f::URG_FLAG_COUNT);
    "ece_flag_count", "bidirectional_ece_packets", false, AS_IS, "", |e| at(e, f::ECE_FLAG_COUNT);
    "cwr_flag_count", "bidirectional_cwr_packets", false, AS_IS, "", |e| at(e, f::CWR_FLAG_COUNT);
    "fwd_psh_flags", "src2dst_psh_packets", false, AS_IS, "", |e| at(e, f::FWD_PSH_FLAGS);
    "bwd_psh_flags", "dst2src_psh_packets", false, AS_IS, "", |e| at(e, f::BWD_PSH_FLAGS);
    "fwd_urg_flags", "src2dst_urg_packets", false, AS_IS, "", |e| at(e, f::FWD_URG_FLAGS);
    "bwd_urg_flags", "dst2src_urg_packets", false, AS_IS, "", |e| at(e, f::BWD_URG_FLAGS);
];

/// The transport headers alone: `CICFlowMeter` leaves the IPv4 header out, and sums.
fn l4_headers(event: &Event, mean: usize, packets: usize) -> Option<f64> {
    let count = event.features.0[packets];
    let options_possible = event.flow.src_ip.is_ipv6();
    (!options_possible).then(|| (event.features.0[mean] - 20.0) * count)
}

const HEADERS: &str = "sum, without 20 bytes of IPv4 a packet";

static CICFLOWMETER_ROWS: &[Row] = rows![
    "duration", "Flow Duration", true, AS_IS, "", |e| at(e, f::DURATION);
    "spkts", "Total Fwd Packet", false, AS_IS, CIC_WAY, |e| at(e, f::SPKTS);
    "dpkts", "Total Bwd packets", false, AS_IS, CIC_WAY, |e| at(e, f::DPKTS);
    "fwd_len_tot", "Total Length of Fwd Packet", false, AS_IS, CIC_PAYLOAD, |e| at(e, f::FWD_LEN_TOT);
    "bwd_len_tot", "Total Length of Bwd Packet", false, AS_IS, CIC_PAYLOAD, |e| at(e, f::BWD_LEN_TOT);
    "avg_fwd_segment_size", "Fwd Segment Size Avg", false, AS_IS, CIC_PAYLOAD, |e| at(e, f::AVG_FWD_SEGMENT_SIZE);
    "avg_bwd_segment_size", "Bwd Segment Size Avg", false, AS_IS, CIC_PAYLOAD, |e| at(e, f::AVG_BWD_SEGMENT_SIZE);
    "avg_packet_size", "Average Packet Size", false, AS_IS, CIC_PAYLOAD, |e| at(e, f::AVG_PACKET_SIZE);
    "flow_pkts_per_sec", "Flow Packets/s", false, AS_IS, CIC_PAYLOAD, |e| (e.features.0[f::DURATION] > 0.0).then(|| e.features.0[f::FLOW_PKTS_PER_SEC]);
    "srate", "Fwd Packets/s", false, AS_IS, CIC_WAY, |e| at(e, f::SRATE);
    "drate", "Bwd Packets/s", false, AS_IS, CIC_WAY, |e| at(e, f::DRATE);
    "flow_iat_mean", "Flow IAT Mean", true, AS_IS, CIC_WAY, |e| at(e, f::FLOW_IAT_MEAN);
    "flow_iat_std", "Flow IAT Std", true, SAMPLE, CIC_WAY, |e| sample(e, f::FLOW_IAT_STD, packets(e) - 1.0);
    "flow_iat_max", "Flow IAT Max", true, AS_IS, CIC_WAY, |e| at(e, f::FLOW_IAT_MAX);
    "flow_iat_min", "Flow IAT Min", true, AS_IS, CIC_BACK, |e| at(e, f::FLOW_IAT_MIN);
    "fwd_iat_tot", "Fwd IAT Total", true, AS_IS, CIC_WAY, |e| at(e, f::FWD_IAT_TOT);
    "fwd_iat_mean", "Fwd IAT Mean", true, AS_IS, CIC_WAY, |e| at(e, f::FWD_IAT_MEAN);
    "fwd_iat_std", "Fwd IAT Std", true, SAMPLE, CIC_WAY, |e| sample(e, f::FWD_IAT_STD, e.features.0[f::SPKTS] - 1.0);
    "fwd_iat_max", "Fwd IAT Max", true, AS_IS, CIC_WAY, |e| at(e, f::FWD_IAT_MAX);
    "fwd_iat_min", "Fwd IAT Min", true, AS_IS, CIC_WAY, |e| at(e, f::FWD_IAT_MIN);
    "bwd_iat_tot", "Bwd IAT Total", true, AS_IS, CIC_WAY, |e| at(e, f::BWD_IAT_TOT);
    "bwd_iat_mean", "Bwd IAT Mean", true, AS_IS, CIC_WAY, |e| at(e, f::BWD_IAT_MEAN);
    "bwd_iat_std", "Bwd IAT Std", true, SAMPLE, CIC_WAY, |e| sample(e, f::BWD_IAT_STD, e.features.0[f::DPKTS] - 1.0);
    "bwd_iat_max", "Bwd IAT Max", true, AS_IS, CIC_WAY, |e| at(e, f::BWD_IAT_MAX);
    "bwd_iat_min", "Bwd IAT Min", true, AS_IS, CIC_WAY, |e| at(e, f::BWD_IAT_MIN);
    "fwd_psh_flags", "Fwd PSH Flags", false, AS_IS, CIC_WAY, |e| at(e, f::FWD_PSH_FLAGS);
    "bwd_psh_flags", "Bwd PSH Flags", false, AS_IS, CIC_WAY, |e| at(e, f::BWD_PSH_FLAGS);
    "fwd_urg_flags", "Fwd URG Flags", false, AS_IS, "", |e| at(e, f::FWD_URG_FLAGS);
    "bwd_urg_flags", "Bwd URG Flags", false, AS_IS, "", |e| at(e, f::BWD_URG_FLAGS);
    "fin_flag_count", "FIN Flag Count", false, AS_IS, "", |e| at(e, f::FIN_FLAG_COUNT);
    "syn_flag_count", "SYN Flag Count", false, AS_IS, "", |e| at(e, f::SYN_FLAG_COUNT);
    "rst_flag_count", "RST Flag Count", false, AS_IS, "", |e| at(e, f::RST_FLAG_COUNT);
    "psh_flag_count", "PSH Flag Count", false, AS_IS, "", |e| at(e, f::PSH_FLAG_COUNT);
    "ack_flag_count", "ACK Flag Count", false, AS_IS, "", |e| at(e, f::ACK_FLAG_COUNT);
    "urg_flag_count", "URG Flag Count", false, AS_IS, "", |e| at(e, f::URG_FLAG_COUNT);
    "ece_flag_count", "ECE Flag Count", false, AS_IS, "", |e| at(e, f::ECE_FLAG_COUNT);
    "cwr_flag_count", "CWR Flag Count", false, AS_IS, "", |e| at(e, f::CWR_FLAG_COUNT);
    "fwd_header_len_mean", "Fwd Header Length", false, HEADERS, CIC_HEADER, |e| l4_headers(e, f::FWD_HEADER_LEN_MEAN, f::SPKTS);
    "bwd_header_len_mean", "Bwd Header Length", false, HEADERS, CIC_HEADER, |e| l4_headers(e, f::BWD_HEADER_LEN_MEAN, f::DPKTS);
    "init_fwd_win_bytes", "FWD Init Win Bytes", false, AS_IS, CIC_WAY, |e| e.features.known(f::INIT_FWD_WIN_BYTES);
    "init_bwd_win_bytes", "Bwd Init Win Bytes", false, AS_IS, CIC_WAY, |e| e.features.known(f::INIT_BWD_WIN_BYTES);
    "active_mean", "Active Mean", true, AS_IS, CIC_ACTIVE, |e| at(e, f::ACTIVE_MEAN);
    "active_max", "Active Max", true, AS_IS, CIC_ACTIVE, |e| at(e, f::ACTIVE_MAX);
    "idle_mean", "Idle Mean", true, AS_IS, "", |e| at(e, f::IDLE_MEAN);
    "idle_max", "Idle Max", true, AS_IS, "", |e| at(e, f::IDLE_MAX);
    "fwd_bulk_size_avg", "Fwd Bytes/Bulk Avg", false, AS_IS, CIC_BULK, |e| at(e, f::FWD_BULK_SIZE_AVG);
    "fwd_avg_packets_bulk", "Fwd Packet/Bulk Avg", false, AS_IS, CIC_BULK, |e| at(e, f::FWD_AVG_PACKETS_BULK);
    "fwd_bulk_rate_avg", "Fwd Bulk Rate Avg", false, AS_IS, CIC_BULK, |e| at(e, f::FWD_BULK_RATE_AVG);
    "bwd_bulk_size_avg", "Bwd Bytes/Bulk Avg", false, AS_IS, CIC_BULK, |e| at(e, f::BWD_BULK_SIZE_AVG);
    "bwd_avg_packets_bulk", "Bwd Packet/Bulk Avg", false, AS_IS, CIC_BULK, |e| at(e, f::BWD_AVG_PACKETS_BULK);
    "bwd_bulk_rate_avg", "Bwd Bulk Rate Avg", false, AS_IS, CIC_BULK, |e| at(e, f::BWD_BULK_RATE_AVG);
    "subflow_fwd_packets", "Subflow Fwd Packets", false, AS_IS, CIC_SUBFLOW, |e| at(e, f::SUBFLOW_FWD_PACKETS);
    "subflow_bwd_packets", "Subflow Bwd Packets", false, AS_IS, CIC_SUBFLOW, |e| at(e, f::SUBFLOW_BWD_PACKETS);
];
