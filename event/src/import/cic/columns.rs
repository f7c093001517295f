//! Which column of a `CICFlowMeter` table is which.
//!
//! Names differ between versions and data sets in case, spaces, punctuation and abbreviation ("Total Fwd Packets",
//! " Total Fwd Packets", "Tot Fwd Pkts", `tot_fwd_pkts`). They are compared by their letters and digits in lower case, then
//! looked up in one table of every spelling known.

/// A column that is used. Those not listed are passed over; `event/IMPORTERS.md` says why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Column {
    SrcIp,
    SrcPort,
    DstIp,
    DstPort,
    Protocol,
    Timestamp,
    Label,
    Duration,
    FwdPackets,
    BwdPackets,
    FwdPayload,
    BwdPayload,
    FwdLenMax,
    FwdLenMin,
    FwdLenStd,
    BwdLenMax,
    BwdLenMin,
    BwdLenStd,
    LenMax,
    LenMin,
    LenStd,
    FlowIatMean,
    FlowIatStd,
    FlowIatMax,
    FlowIatMin,
    FwdIatTotal,
    FwdIatMean,
    FwdIatStd,
    FwdIatMax,
    FwdIatMin,
    BwdIatTotal,
    BwdIatMean,
    BwdIatStd,
    BwdIatMax,
    BwdIatMin,
    FwdPsh,
    BwdPsh,
    FwdUrg,
    BwdUrg,
    FwdHeader,
    BwdHeader,
    Fin,
    Syn,
    Rst,
    Psh,
    Ack,
    Urg,
    Cwr,
    Ece,
    FwdBulkBytes,
    FwdBulkPackets,
    FwdBulkRate,
    BwdBulkBytes,
    BwdBulkPackets,
    BwdBulkRate,
    FwdInitWindow,
    BwdInitWindow,
    FwdHeaderMin,
    BwdHeaderMin,
    IdleMean,
    IdleMax,
    IcmpType,
    IcmpCode,
}

/// How many columns are used.
pub(crate) const COLUMN_COUNT: usize = Column::IcmpCode as usize + 1;

/// Which program wrote a table; they measure differently under the same names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// The first public version, of CIC-IDS2017 (85, 79 or fewer columns, "Total Fwd Packets") and, with abbreviated names,
    /// of CSE-CIC-IDS2018. Its flag columns say 0 or 1 and are not counts.
    First,
    /// The later Java version (84 columns, "Total Fwd Packet").
    Later,
    /// The corrected Java version (91 or 94 columns, "Fwd RST Flags").
    Corrected,
    /// The Python port (82 columns, names with underscores). Its lengths are those of whole frames.
    Python,
}

/// The columns of one header.
#[derive(Clone, Debug)]
pub(crate) struct Header {
    /// For each cell of a row what it is, if it is used.
    pub(crate) cells: Vec<Option<Column>>,
    /// Who wrote it.
    pub(crate) layout: Layout,
    present: u64,
}

const _: () = assert!(COLUMN_COUNT <= 64, "`present` is a set of 64 bits");

/// More cells than any layout has.
pub(crate) const CELLS_MAX: usize = 512;

impl Header {
    /// Reads a header line; `None` if it is none.
    pub(crate) fn read(line: &[u8]) -> Option<Self> {
        let line = std::str::from_utf8(line).ok()?;
        let mut header = Self { cells: Vec::new(), layout: Layout::First, present: 0 };
        let (mut corrected, mut later, mut python) = (false, false, false);
        for name in line.split(',').take(CELLS_MAX) {
            let plain = plain(name);
            corrected |= plain == "fwdrstflags";
            later |= plain == "totalfwdpacket";
            python |= name.trim() == "tot_fwd_pkts";
            // A table may repeat a column ("Fwd Header Length.1"); the first one counts.
            let column = column(&plain).filter(|column| !header.has(*column));
            header.present |= column.map_or(0, |column| 1 << column as u8);
            header.cells.push(column);
        }
        header.layout = match (corrected, python, later) {
            (true, ..) => Layout::Corrected,
            (_, true, _) => Layout::Python,
            (.., true) => Layout::Later,
            _ => Layout::First,
        };
        let needed = [Column::Duration, Column::FwdPackets];
        let useful = header.cells.iter().flatten().count() > COLUMN_COUNT / 4;
        (useful && needed.iter().all(|column| header.has(*column))).then_some(header)
    }

    /// Whether the table has this column.
    pub(crate) fn has(&self, column: Column) -> bool {
        self.present & (1 << column as u8) != 0
    }
}

/// A name by its letters and digits, in lower case.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|char| char.to_ascii_lowercase()).collect()
}

/// The column that a plain name stands for.
#[allow(clippy::too_many_lines)] // a table, one line for each column
fn column(name: &str) -> Option<Column> {
    use Column as C;
    Some(match name {
        "srcip" | "sourceip" => C::SrcIp,
        "srcport" | "sourceport" => C::SrcPort,
        "dstip" | "destinationip" => C::DstIp,
        "dstport" | "destinationport" => C::DstPort,
        "protocol" => C::Protocol,
        "timestamp" => C::Timestamp,
        "label" | "attacktype" => C::Label,
        "flowduration" => C::Duration,
        "totalfwdpackets" | "totalfwdpacket" | "totfwdpkts" => C::FwdPackets,
        "totalbackwardpackets" | "totalbwdpackets" | "totbwdpkts" => C::BwdPackets,
        "totallengthoffwdpackets" | "totallengthoffwdpacket" | "totlenfwdpkts" => C::FwdPayload,
        "totallengthofbwdpackets" | "totallengthofbwdpacket" | "totlenbwdpkts" => C::BwdPayload,
        "fwdpacketlengthmax" | "fwdpktlenmax" => C::FwdLenMax,
        "fwdpacketlengthmin" | "fwdpktlenmin" => C::FwdLenMin,
        "fwdpacketlengthstd" | "fwdpktlenstd" => C::FwdLenStd,
        "bwdpacketlengthmax" | "bwdpktlenmax" => C::BwdLenMax,
        "bwdpacketlengthmin" | "bwdpktlenmin" => C::BwdLenMin,
        "bwdpacketlengthstd" | "bwdpktlenstd" => C::BwdLenStd,
        "maxpacketlength" | "packetlengthmax" | "pktlenmax" => C::LenMax,
        "minpacketlength" | "packetlengthmin" | "pktlenmin" => C::LenMin,
        "packetlengthstd" | "pktlenstd" => C::LenStd,
        "flowiatmean" => C::FlowIatMean,
        "flowiatstd" => C::FlowIatStd,
        "flowiatmax" => C::FlowIatMax,
        "flowiatmin" => C::FlowIatMin,
        "fwdiattotal" | "fwdiattot" => C::FwdIatTotal,
        "fwdiatmean" => C::FwdIatMean,
        "fwdiatstd" => C::FwdIatStd,
        "fwdiatmax" => C::FwdIatMax,
        "fwdiatmin" => C::FwdIatMin,
        "bwdiattotal" | "bwdiattot" => C::BwdIatTotal,
        "bwdiatmean" => C::BwdIatMean,
        "bwdiatstd" => C::BwdIatStd,
        "bwdiatmax" => C::BwdIatMax,
        "bwdiatmin" => C::BwdIatMin,
        "fwdpshflags" => C::FwdPsh,
        "bwdpshflags" => C::BwdPsh,
        "fwdurgflags" => C::FwdUrg,
        "bwdurgflags" => C::BwdUrg,
        "fwdheaderlength" | "fwdheaderlen" => C::FwdHeader,
        "bwdheaderlength" | "bwdheaderlen" => C::BwdHeader,
        "finflagcount" | "finflagcnt" => C::Fin,
        "synflagcount" | "synflagcnt" => C::Syn,
        "rstflagcount" | "rstflagcnt" => C::Rst,
        "pshflagcount" | "pshflagcnt" => C::Psh,
        "ackflagcount" | "ackflagcnt" => C::Ack,
        "urgflagcount" | "urgflagcnt" => C::Urg,
        "cwrflagcount" | "cweflagcount" => C::Cwr,
        "eceflagcount" | "eceflagcnt" => C::Ece,
        "fwdbytesbulkavg" => C::FwdBulkBytes,
        "fwdpacketbulkavg" => C::FwdBulkPackets,
        "fwdbulkrateavg" => C::FwdBulkRate,
        "bwdbytesbulkavg" => C::BwdBulkBytes,
        "bwdpacketbulkavg" => C::BwdBulkPackets,
        "bwdbulkrateavg" => C::BwdBulkRate,
        "initwinbytesforward" | "fwdinitwinbytes" | "initfwdwinbyts" => C::FwdInitWindow,
        "initwinbytesbackward" | "bwdinitwinbytes" | "initbwdwinbyts" => C::BwdInitWindow,
        "minsegsizeforward" | "fwdsegsizemin" => C::FwdHeaderMin,
        "bwdsegsizemin" => C::BwdHeaderMin,
        "idlemean" => C::IdleMean,
        "idlemax" => C::IdleMax,
        "icmptype" => C::IcmpType,
        "icmpcode" => C::IcmpCode,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_column_are_one_column() {
        for name in ["Total Fwd Packets", " total fwd packet", "Tot Fwd Pkts", "tot_fwd_pkts"] {
            assert_eq!(column(&plain(name)), Some(Column::FwdPackets), "{name}");
        }
        assert_eq!(column(&plain("Fwd Header Length.1")), None);
    }

    #[test]
    fn a_row_or_a_strange_table_is_no_header() {
        assert!(Header::read(b"1,2,3").is_none());
        assert!(Header::read(b"Flow Duration,Total Fwd Packets").is_none(), "two columns are too few to be sure");
    }
}
