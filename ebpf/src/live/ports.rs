//! Which ports are watched, and in which row each is counted.

use aya::maps::{Array, MapData};

use crate::live::bins::Bins;
use crate::live::drops::PortTotals;
use crate::live::error::LiveError;
use crate::live::layout::{PORT_KEYS, PORT_WORDS, ROWS_OF_INTERFACE};
use crate::live::mapped::Mapped;

/// A port as it is watched. Of one port either both together are watched, or each by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Watched {
    /// UDP and TCP together.
    Both(u16),
    /// UDP alone.
    Udp(u16),
    /// TCP alone.
    Tcp(u16),
}

impl Watched {
    /// Its number.
    pub const fn port(self) -> u16 {
        let (Self::Both(port) | Self::Udp(port) | Self::Tcp(port)) = self;
        port
    }

    /// Where the programs look it up (`fb_port_key` of `c/live/ports.h`).
    fn keys(self) -> &'static [usize] {
        const TCP: usize = PORT_KEYS / 2;
        match self {
            Self::Both(_) => &[0, TCP],
            Self::Udp(_) => &[0],
            Self::Tcp(_) => &[TCP],
        }
    }
}

/// See the module.
pub(crate) struct Ports {
    /// The row of each port, as the programs look it up.
    rows: Array<MapData, u32>,
    totals: Mapped,
    /// Which place has which port.
    taken: Vec<Option<Watched>>,
    /// The row of each port, or 0: what the programs are told.
    row_of: Vec<u16>,
}

impl Ports {
    pub(crate) fn new(rows: Array<MapData, u32>, totals: Mapped, ports_max: usize) -> Self {
        Self { rows, totals, taken: vec![None; ports_max], row_of: vec![0; PORT_KEYS] }
    }

    /// Bytes of the map of totals.
    pub(crate) fn map_bytes(ports_max: usize) -> usize {
        ports_max * PORT_WORDS * 8
    }

    /// Begins to count `watched`; nothing changes if it is watched already.
    pub(crate) fn watch(&mut self, watched: Watched, bins: &Bins) -> Result<(), LiveError> {
        let port = watched.port();
        if port == 0 {
            return Err(LiveError::Port { port, reason: "ports are 1 to 65,535".to_owned() });
        }
        if self.place(watched).is_some() {
            return Ok(());
        }
        if self.taken.iter().flatten().any(|other| other.port() == port && !are_apart(*other, watched)) {
            return Err(LiveError::Port { port, reason: "it is watched otherwise already".to_owned() });
        }
        let Some(place) = self.taken.iter().position(Option::is_none) else {
            return Err(LiveError::Port { port, reason: format!("there is room for {}", self.taken.len()) });
        };
        self.totals.clear(place * PORT_WORDS, PORT_WORDS);
        bins.clear(place as u32 + ROWS_OF_INTERFACE);
        self.set(watched, place as u32 + ROWS_OF_INTERFACE)?;
        self.taken[place] = Some(watched);
        Ok(())
    }

    /// Counts `watched` no longer. Gives whether it was watched.
    pub(crate) fn unwatch(&mut self, watched: Watched) -> Result<bool, LiveError> {
        let Some(place) = self.place(watched) else { return Ok(false) };
        self.set(watched, 0)?;
        self.taken[place] = None;
        Ok(true)
    }

    /// What is watched.
    pub(crate) fn watched(&self) -> impl Iterator<Item = Watched> {
        self.taken.iter().copied().flatten()
    }

    /// The row of a watched port.
    pub(crate) fn row(&self, watched: Watched) -> Option<u32> {
        self.place(watched).map(|place| place as u32 + ROWS_OF_INTERFACE)
    }

    /// The place of a watched port among all that can be watched, and its row.
    pub(crate) fn places(&self, watched: Watched) -> Option<(usize, u32)> {
        self.place(watched).map(|place| (place, place as u32 + ROWS_OF_INTERFACE))
    }

    /// Totals of a watched port.
    pub(crate) fn totals(&self, watched: Watched) -> Option<PortTotals> {
        let first = self.place(watched)? * PORT_WORDS;
        let word = |place: usize| self.totals.word64(first + place);
        Some(PortTotals { drained_messages: word(0), drained_bytes: word(1), dropped: word(2) })
    }

    fn place(&self, watched: Watched) -> Option<usize> {
        let key = usize::from(watched.port()) + watched.keys()[0];
        let row = u32::from(self.row_of[key]).checked_sub(ROWS_OF_INTERFACE)?;
        Some(row as usize).filter(|place| self.taken[*place] == Some(watched))
    }

    fn set(&mut self, watched: Watched, row: u32) -> Result<(), LiveError> {
        for first in watched.keys() {
            let key = usize::from(watched.port()) + first;
            self.rows.set(key as u32, row, 0).map_err(|error| LiveError::kernel("to watch a port", &error))?;
            self.row_of[key] = row as u16;
        }
        Ok(())
    }
}

/// Whether two of one port do not share what is counted.
fn are_apart(a: Watched, b: Watched) -> bool {
    matches!((a, b), (Watched::Udp(_), Watched::Tcp(_)) | (Watched::Tcp(_), Watched::Udp(_)))
}
