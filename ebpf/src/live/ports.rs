//! Which ports are watched, and in which row each is counted.

use aya::maps::{Array, MapData};

use crate::live::bins::Bins;
use crate::live::drops::PortTotals;
use crate::live::error::LiveError;
use crate::live::layout::{PORT_WORDS, ROWS_OF_INTERFACE};
use crate::live::mapped::Mapped;

/// See the module.
pub(crate) struct Ports {
    /// The row of each port, as the programs look it up.
    rows: Array<MapData, u32>,
    totals: Mapped,
    /// Which place has which port.
    taken: Vec<Option<u16>>,
    /// The row of each port, or 0: what the programs are told.
    row_of: Vec<u16>,
}

impl Ports {
    pub(crate) fn new(rows: Array<MapData, u32>, totals: Mapped, ports_max: usize) -> Self {
        Self { rows, totals, taken: vec![None; ports_max], row_of: vec![0; 1 << 16] }
    }

    /// Bytes of the map of totals.
    pub(crate) fn map_bytes(ports_max: usize) -> usize {
        ports_max * PORT_WORDS * 8
    }

    /// Begins to count `port`; nothing changes if it is watched already.
    pub(crate) fn watch(&mut self, port: u16, bins: &Bins) -> Result<(), LiveError> {
        if port == 0 {
            return Err(LiveError::Port { port, reason: "ports are 1 to 65,535".to_owned() });
        }
        if self.place(port).is_some() {
            return Ok(());
        }
        let Some(place) = self.taken.iter().position(Option::is_none) else {
            let reason = format!("there is room for {} (LiveConfig::ports_max)", self.taken.len());
            return Err(LiveError::Port { port, reason });
        };
        self.totals.clear(place * PORT_WORDS, PORT_WORDS);
        bins.clear(place as u32 + ROWS_OF_INTERFACE);
        self.set(port, place as u32 + ROWS_OF_INTERFACE)?;
        self.taken[place] = Some(port);
        Ok(())
    }

    /// Counts `port` no longer. Gives whether it was watched.
    pub(crate) fn unwatch(&mut self, port: u16) -> Result<bool, LiveError> {
        let Some(place) = self.place(port) else { return Ok(false) };
        self.set(port, 0)?;
        self.taken[place] = None;
        Ok(true)
    }

    /// The row of a watched port.
    pub(crate) fn row(&self, port: u16) -> Option<u32> {
        Some(u32::from(self.row_of[usize::from(port)])).filter(|row| *row != 0)
    }

    /// Totals of a watched port.
    pub(crate) fn totals(&self, port: u16) -> Option<PortTotals> {
        let first = self.place(port)? * PORT_WORDS;
        let word = |place: usize| self.totals.word64(first + place);
        Some(PortTotals { drained_messages: word(0), drained_bytes: word(1), dropped: word(2) })
    }

    fn place(&self, port: u16) -> Option<usize> {
        self.row(port).map(|row| (row - ROWS_OF_INTERFACE) as usize)
    }

    fn set(&mut self, port: u16, row: u32) -> Result<(), LiveError> {
        self.rows.set(u32::from(port), row, 0).map_err(|error| LiveError::kernel("to watch a port", &error))?;
        self.row_of[usize::from(port)] = row as u16;
        Ok(())
    }
}
