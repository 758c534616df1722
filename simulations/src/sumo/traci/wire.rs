//! Bytes of the protocol: big-endian numbers, strings with their length before them, typed values.

/// Why SUMO and we do not understand each other.
#[derive(Debug, thiserror::Error)]
pub enum TraciError {
    /// Nobody listens, or the connection broke.
    #[error("connection to SUMO: {0}")]
    Io(#[from] std::io::Error),
    /// SUMO closed the connection.
    #[error("SUMO closed the connection")]
    Closed,
    /// SUMO did not answer.
    #[error("SUMO has not answered for {waited_s} s")]
    Timeout {
        /// How long we waited.
        waited_s: u64,
    },
    /// The run was called off while we waited.
    #[error("cancelled")]
    Cancelled,
    /// SUMO refused a command.
    #[error("SUMO refused command {command:#04x}: {reason}")]
    Refused {
        /// The command.
        command: u8,
        /// What SUMO says.
        reason: String,
    },
    /// A message that ends too early or says what no message may say.
    #[error("unreadable answer from SUMO: {what} at byte {at}")]
    Malformed {
        /// What is wrong.
        what: &'static str,
        /// Where, from the start of the message.
        at: usize,
    },
}

/// Type bytes in front of values.
pub(super) mod types {
    pub(in crate::sumo::traci) const INTEGER: u8 = 0x09;
    pub(in crate::sumo::traci) const DOUBLE: u8 = 0x0B;
    pub(in crate::sumo::traci) const STRING: u8 = 0x0C;
    pub(in crate::sumo::traci) const STRING_LIST: u8 = 0x0E;
    pub(in crate::sumo::traci) const COMPOUND: u8 = 0x0F;
}

/// A vehicle that was on an induction loop during the last step.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopVehicle {
    /// When its front entered, seconds of simulation time.
    pub entered_s: f64,
    /// When its back left; `None` while it is still there.
    pub left_s: Option<f64>,
}

/// Longest message we accept: far above any step of a city, far below what would exhaust memory.
pub(super) const MESSAGE_BYTES_MAX: usize = 256 << 20;

/// Commands of one message.
#[derive(Debug, Default)]
pub(super) struct Commands {
    bytes: Vec<u8>,
    ids: Vec<u8>,
}

impl Commands {
    /// Appends a command.
    pub(super) fn push(&mut self, id: u8, content: &[u8]) {
        let short = content.len() + 2;
        if let Ok(length @ 1..) = u8::try_from(short) {
            self.bytes.push(length);
        } else {
            self.bytes.push(0);
            self.bytes.extend(length_bytes(short + 4));
        }
        self.bytes.push(id);
        self.bytes.extend_from_slice(content);
        self.ids.push(id);
    }

    /// The whole message and the commands in it, in order; what remains is empty.
    pub(super) fn take(&mut self) -> (Vec<u8>, Vec<u8>) {
        let mut message = Vec::with_capacity(self.bytes.len() + 4);
        message.extend(length_bytes(self.bytes.len() + 4));
        message.append(&mut self.bytes);
        (message, std::mem::take(&mut self.ids))
    }
}

/// A length as the protocol writes it. Ours are bounded by what one step of one network needs.
fn length_bytes(length: usize) -> [u8; 4] {
    u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes()
}

/// Writes values into a command.
pub(super) trait Put {
    fn put_double(&mut self, value: f64);
    fn put_string(&mut self, text: &str);
}

impl Put for Vec<u8> {
    fn put_double(&mut self, value: f64) {
        self.extend(value.to_be_bytes());
    }

    fn put_string(&mut self, text: &str) {
        self.extend(length_bytes(text.len()));
        self.extend(text.as_bytes());
    }
}

/// Reads a message from front to back. Nothing it is given makes it panic.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    pub(super) const fn fault(&self, what: &'static str) -> TraciError {
        TraciError::Malformed { what, at: self.at }
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], TraciError> {
        let end = self.at.checked_add(n).filter(|e| *e <= self.bytes.len()).ok_or(self.fault("it ends too early"))?;
        let part = &self.bytes[self.at..end];
        self.at = end;
        Ok(part)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], TraciError> {
        let fault = self.fault("it ends too early");
        self.take(N)?.try_into().map_err(|_| fault)
    }

    pub(super) fn byte(&mut self) -> Result<u8, TraciError> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn int(&mut self) -> Result<i32, TraciError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// A number of things; never negative.
    pub(super) fn count(&mut self) -> Result<usize, TraciError> {
        let fault = self.fault("a negative count");
        usize::try_from(self.int()?).map_err(|_| fault)
    }

    pub(super) fn double(&mut self) -> Result<f64, TraciError> {
        Ok(f64::from_be_bytes(self.array()?))
    }

    pub(super) fn string(&mut self) -> Result<String, TraciError> {
        let n = self.count()?;
        Ok(String::from_utf8_lossy(self.take(n)?).into_owned())
    }

    /// Length and id of a command; the length is that of what follows them.
    pub(super) fn head(&mut self) -> Result<(usize, u8), TraciError> {
        let fault = self.fault("an impossible length");
        let (length, own) = match self.byte()? {
            0 => (self.count()?, 6),
            short => (usize::from(short), 2),
        };
        let id = self.byte()?;
        Ok((length.checked_sub(own).ok_or(fault)?, id))
    }

    /// The status that answers a command.
    pub(super) fn status(&mut self, command: u8) -> Result<(), TraciError> {
        let (_, id) = self.head()?;
        if id != command {
            return Err(self.fault("a status of another command"));
        }
        let result = self.byte()?;
        let reason = self.string()?;
        if result == 0 { Ok(()) } else { Err(TraciError::Refused { command, reason }) }
    }

    pub(super) fn expect(&mut self, kind: u8) -> Result<(), TraciError> {
        if self.byte()? == kind { Ok(()) } else { Err(self.fault("a value of another type")) }
    }

    pub(super) fn typed_string(&mut self) -> Result<String, TraciError> {
        self.expect(types::STRING)?;
        self.string()
    }

    pub(super) fn typed_double(&mut self) -> Result<f64, TraciError> {
        self.expect(types::DOUBLE)?;
        self.double()
    }

    pub(super) fn typed_int(&mut self) -> Result<i32, TraciError> {
        self.expect(types::INTEGER)?;
        self.int()
    }

    pub(super) fn typed_strings(&mut self) -> Result<Vec<String>, TraciError> {
        self.expect(types::STRING_LIST)?;
        (0..self.count()?).map(|_| self.string()).collect()
    }

    /// Vehicles on an induction loop: a compound of their number and, for each, name, length, entry, exit and type.
    pub(super) fn loop_vehicles(&mut self) -> Result<Vec<LoopVehicle>, TraciError> {
        self.expect(types::COMPOUND)?;
        self.int()?;
        self.expect(types::INTEGER)?;
        let n = self.count()?;
        (0..n)
            .map(|_| {
                self.typed_string()?;
                self.typed_double()?;
                let (entered_s, left_s) = (self.typed_double()?, self.typed_double()?);
                self.typed_string()?;
                // A vehicle that has not left yet has a negative exit.
                Ok(LoopVehicle { entered_s, left_s: (left_s >= 0.0).then_some(left_s) })
            })
            .collect()
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.bytes.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn commands_share_a_message() {
        let mut commands = Commands::default();
        commands.push(0x02, &0f64.to_be_bytes());
        commands.push(0x7F, &[]);
        let (message, ids) = commands.take();
        assert_eq!(message, [0, 0, 0, 16, 10, 2, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0x7F]);
        assert_eq!(ids, [0x02, 0x7F]);
        assert_eq!(commands.take().0, [0, 0, 0, 4], "taken commands are gone");
    }

    #[test]
    fn a_long_command_has_a_long_length() {
        let mut commands = Commands::default();
        commands.push(0xC2, &[7; 254]);
        let (message, _) = commands.take();
        assert_eq!(message[4..10], [0, 0, 0, 1, 4, 0xC2], "length byte 0, then 254 + 6, then the id");
        let mut reader = Reader::new(&message[4..]);
        assert_eq!(reader.head().unwrap(), (254, 0xC2));

        let mut commands = Commands::default();
        commands.push(0xC2, &[7; 253]);
        assert_eq!(commands.take().0[4..6], [255, 0xC2], "255 still fits one byte");
    }

    /// An answer recorded from SUMO 1.28.0: step, no subscription but one loop without vehicles.
    #[test]
    fn a_recorded_step_is_read() {
        let bytes =
            b"\x07\x02\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x00\x00\x19\xe0\x00\x00\x00\x02d0\x01\x17\x00\x0f\
            \x00\x00\x00\x01\x09\x00\x00\x00\x00";
        let mut reader = Reader::new(bytes);
        reader.status(0x02).unwrap();
        assert_eq!(reader.count().unwrap(), 1);
        assert_eq!(reader.head().unwrap(), (19, 0xE0));
        assert_eq!(reader.string().unwrap(), "d0");
        assert_eq!((reader.byte().unwrap(), reader.byte().unwrap(), reader.byte().unwrap()), (1, 0x17, 0));
        assert_eq!(reader.loop_vehicles().unwrap(), []);
        assert!(reader.is_at_end());
    }

    #[test]
    fn a_refusal_carries_what_sumo_says() {
        let mut bytes = vec![0, 0, 0, 0, 0, 0xC2, 0xFF];
        bytes.put_string("no such light");
        let length = (bytes.len() as u32).to_be_bytes();
        bytes[1..5].copy_from_slice(&length);
        let refused = Reader::new(&bytes).status(0xC2).unwrap_err();
        assert_eq!(refused.to_string(), "SUMO refused command 0xc2: no such light");
    }

    #[test]
    fn a_loop_knows_who_is_still_there() {
        let mut bytes = vec![types::COMPOUND, 0, 0, 0, 1, types::INTEGER, 0, 0, 0, 1, types::STRING];
        bytes.put_string("car");
        for value in [5.0, 100.25, -1.0] {
            bytes.push(types::DOUBLE);
            bytes.put_double(value);
        }
        bytes.push(types::STRING);
        bytes.put_string("kind");
        let vehicles = Reader::new(&bytes).loop_vehicles().unwrap();
        assert_eq!(vehicles, [LoopVehicle { entered_s: 100.25, left_s: None }]);
    }

    proptest! {
        #[test]
        fn nothing_makes_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = Reader::new(&bytes).head();
            let _ = Reader::new(&bytes).status(2);
            let _ = Reader::new(&bytes).typed_strings();
            let _ = Reader::new(&bytes).loop_vehicles();
        }
    }
}
