//! One client's conversation with one SUMO.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::wire::{Commands, LoopVehicle, MESSAGE_BYTES_MAX, Put, Reader, TraciError, types};
use crate::cancel::Cancel;

/// Commands and variables, by the names of the protocol.
mod code {
    pub(super) const GET_VERSION: u8 = 0x00;
    pub(super) const SIMULATION_STEP: u8 = 0x02;
    pub(super) const CLOSE: u8 = 0x7F;
    pub(super) const GET_LIGHT: u8 = 0xA2;
    pub(super) const LIGHT_ANSWER: u8 = 0xB2;
    pub(super) const SET_LIGHT: u8 = 0xC2;
    pub(super) const SUBSCRIBE_LOOP: u8 = 0xD0;
    pub(super) const LOOP_ANSWER: u8 = 0xE0;
    pub(super) const SUBSCRIBE_SIMULATION: u8 = 0xDB;
    pub(super) const SIMULATION_ANSWER: u8 = 0xEB;

    pub(super) const GET_VEHICLE: u8 = 0xA4;
    pub(super) const GET_VEHICLE_ANSWER: u8 = 0xB4;
    pub(super) const SUBSCRIBE_VEHICLE: u8 = 0xD4;
    pub(super) const VEHICLE_ANSWER: u8 = 0xE4;

    pub(super) const ID_LIST: u8 = 0x00;
    pub(super) const LIGHT_STATE: u8 = 0x20;
    pub(super) const LOOP_VEHICLES: u8 = 0x17;
    pub(super) const TIME: u8 = 0x66;
    pub(super) const DEPARTED: u8 = 0x74;
    pub(super) const SPEED: u8 = 0x40;
    pub(super) const LANE: u8 = 0x51;
    pub(super) const EDGES: u8 = 0x54;
    pub(super) const LANE_POSITION: u8 = 0x56;
    pub(super) const ROUTE_INDEX: u8 = 0x69;
}

/// "Without begin, without end" of a subscription.
const ALWAYS: f64 = -1_073_741_824.0;
/// How often a wait looks up to see whether the run was called off.
const GLANCE: Duration = Duration::from_millis(200);

/// What one loop saw during one step.
#[derive(Debug, Clone, PartialEq)]
pub struct LoopReading {
    /// The loop.
    pub id: String,
    /// Vehicles that were on it, those that have left it again included.
    pub vehicles: Vec<LoopVehicle>,
}

/// Where a vehicle is.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct VehiclePlace {
    /// The vehicle.
    pub id: String,
    /// The lane its front is on; one inside a node begins with a colon.
    pub lane: String,
    /// From the start of the lane to its front, metres.
    pub at_m: f64,
    /// Its speed, metres per second.
    pub speed_mps: f64,
    /// Number of the link of its route that it is on, or, inside a node, comes from.
    pub link: usize,
}

/// The world after one step.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Step {
    /// Simulation time reached, seconds.
    pub time_s: f64,
    /// Readings of the loops subscribed to.
    pub loops: Vec<LoopReading>,
    /// Vehicles that entered in this step, where they are subscribed to.
    pub departed: Vec<String>,
    /// Vehicles that are followed.
    pub vehicles: Vec<VehiclePlace>,
}

/// A connection to SUMO. A wait ends with an answer, with an error, or by [`Cancel`]: never not at all.
#[derive(Debug)]
pub struct Traci {
    stream: TcpStream,
    commands: Commands,
    patience: Duration,
    cancel: Cancel,
}

impl Traci {
    /// Connects once; the caller decides whether to try again. `patience` is how long SUMO may take over one answer.
    ///
    /// # Errors
    /// [`TraciError::Io`] when nobody listens there.
    pub fn connect(address: SocketAddr, patience: Duration, cancel: Cancel) -> Result<Self, TraciError> {
        let stream = TcpStream::connect_timeout(&address, Duration::from_secs(1))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(GLANCE))?;
        stream.set_write_timeout(Some(patience))?;
        Ok(Self { stream, commands: Commands::default(), patience, cancel })
    }

    /// SUMO's name and version, e.g. `SUMO 1.28.0`.
    ///
    /// # Errors
    /// [`TraciError`].
    pub fn version(&mut self) -> Result<String, TraciError> {
        self.commands.push(code::GET_VERSION, &[]);
        let answer = self.exchange()?;
        let mut reader = Reader::new(&answer);
        reader.status(code::GET_VERSION)?;
        reader.head()?;
        reader.int()?;
        reader.string()
    }

    /// Names of all traffic lights.
    ///
    /// # Errors
    /// [`TraciError`].
    pub fn light_ids(&mut self) -> Result<Vec<String>, TraciError> {
        let answer = self.get_light(code::ID_LIST, "")?;
        let mut reader = light_answer(&answer)?;
        reader.typed_strings()
    }

    /// What a traffic light shows, one letter per link index.
    ///
    /// # Errors
    /// [`TraciError::Refused`] when there is no such light.
    pub fn light_state(&mut self, id: &str) -> Result<String, TraciError> {
        let answer = self.get_light(code::LIGHT_STATE, id)?;
        let mut reader = light_answer(&answer)?;
        reader.typed_string()
    }

    fn get_light(&mut self, variable: u8, id: &str) -> Result<Vec<u8>, TraciError> {
        let mut content = vec![variable];
        content.put_string(id);
        self.commands.push(code::GET_LIGHT, &content);
        self.exchange()
    }

    /// Asks for the simulation time and for the vehicles on these loops with every step from now on, and, with
    /// `departures`, for the vehicles that enter.
    ///
    /// # Errors
    /// [`TraciError::Refused`] when there is no such loop.
    pub fn subscribe<'a>(&mut self, loops: impl Iterator<Item = &'a str>, departures: bool) -> Result<(), TraciError> {
        let of_time: &[u8] = if departures { &[code::TIME, code::DEPARTED] } else { &[code::TIME] };
        self.commands.push(code::SUBSCRIBE_SIMULATION, &subscription("", of_time));
        for id in loops {
            self.commands.push(code::SUBSCRIBE_LOOP, &subscription(id, &[code::LOOP_VEHICLES]));
        }
        let (message, ids) = self.commands.take();
        let answer = self.send(&message)?;
        let mut reader = Reader::new(&answer);
        for id in ids {
            reader.status(id)?;
            read_subscription(&mut reader, &mut Step::default())?;
        }
        Ok(())
    }

    /// Follows vehicles that have entered, with every step until they leave. Returns where each is now, and the links of
    /// its route.
    ///
    /// # Errors
    /// [`TraciError::Refused`] when one is not there.
    pub fn follow(&mut self, vehicles: &[String]) -> Result<Vec<(VehiclePlace, Vec<String>)>, TraciError> {
        const FOLLOWED: [u8; 4] = [code::LANE, code::LANE_POSITION, code::SPEED, code::ROUTE_INDEX];
        for id in vehicles {
            self.commands.push(code::SUBSCRIBE_VEHICLE, &subscription(id, &FOLLOWED));
            let mut content = vec![code::EDGES];
            content.put_string(id);
            self.commands.push(code::GET_VEHICLE, &content);
        }
        let answer = self.exchange()?;
        let mut reader = Reader::new(&answer);
        let mut followed = Vec::with_capacity(vehicles.len());
        for _ in vehicles {
            let mut step = Step::default();
            reader.status(code::SUBSCRIBE_VEHICLE)?;
            read_subscription(&mut reader, &mut step)?;
            reader.status(code::GET_VEHICLE)?;
            if reader.head()?.1 != code::GET_VEHICLE_ANSWER {
                return Err(reader.fault("the answer to another question"));
            }
            reader.byte()?;
            reader.string()?;
            let links = reader.typed_strings()?;
            let place = step.vehicles.pop().ok_or(reader.fault("a vehicle without its place"))?;
            followed.push((place, links));
        }
        Ok(followed)
    }

    /// Sets what a light shows; sent together with the next step.
    pub fn set_light_state(&mut self, id: &str, state: &str) {
        let mut content = vec![code::LIGHT_STATE];
        content.put_string(id);
        content.push(types::STRING);
        content.put_string(state);
        self.commands.push(code::SET_LIGHT, &content);
    }

    /// Sends what has been set, lets SUMO make one step, and reads the subscriptions: one round trip.
    ///
    /// # Errors
    /// [`TraciError`]; a refused setting is an error too.
    pub fn step(&mut self) -> Result<Step, TraciError> {
        self.commands.push(code::SIMULATION_STEP, &0f64.to_be_bytes());
        let (message, ids) = self.commands.take();
        let answer = self.send(&message)?;
        let mut reader = Reader::new(&answer);
        for id in ids {
            reader.status(id)?;
        }
        let mut step = Step { time_s: f64::NAN, ..Step::default() };
        for _ in 0..reader.count()? {
            read_subscription(&mut reader, &mut step)?;
        }
        if !reader.is_at_end() {
            return Err(reader.fault("more than was announced"));
        }
        if step.time_s.is_finite() { Ok(step) } else { Err(reader.fault("a step without its time")) }
    }

    /// Says goodbye; SUMO then writes its files and ends.
    ///
    /// # Errors
    /// [`TraciError`].
    pub fn close(mut self) -> Result<(), TraciError> {
        self.commands.push(code::CLOSE, &[]);
        let answer = self.exchange()?;
        Reader::new(&answer).status(code::CLOSE)
    }

    fn exchange(&mut self) -> Result<Vec<u8>, TraciError> {
        let (message, _) = self.commands.take();
        self.send(&message)
    }

    fn send(&mut self, message: &[u8]) -> Result<Vec<u8>, TraciError> {
        self.stream.write_all(message)?;
        let mut head = [0; 4];
        self.read_whole(&mut head)?;
        let length = u32::from_be_bytes(head) as usize;
        let body = length.checked_sub(4).filter(|n| *n <= MESSAGE_BYTES_MAX);
        let body = body.ok_or(TraciError::Malformed { what: "an impossible message length", at: 0 })?;
        let mut answer = vec![0; body];
        self.read_whole(&mut answer)?;
        Ok(answer)
    }

    fn read_whole(&mut self, buffer: &mut [u8]) -> Result<(), TraciError> {
        let started = Instant::now();
        let mut have = 0;
        while have < buffer.len() {
            match self.stream.read(&mut buffer[have..]) {
                Ok(0) => return Err(TraciError::Closed),
                Ok(n) => have += n,
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted) => {
                    if self.cancel.is_cancelled() {
                        return Err(TraciError::Cancelled);
                    }
                    if started.elapsed() >= self.patience {
                        return Err(TraciError::Timeout { waited_s: self.patience.as_secs() });
                    }
                }
                Err(e) if matches!(e.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {
                    return Err(TraciError::Closed);
                }
                Err(e) => return Err(e.into()),
            }
        }
        Ok(())
    }
}

/// A reader that stands in front of the value of a traffic light's variable.
fn light_answer(answer: &[u8]) -> Result<Reader<'_>, TraciError> {
    let mut reader = Reader::new(answer);
    reader.status(code::GET_LIGHT)?;
    if reader.head()?.1 != code::LIGHT_ANSWER {
        return Err(reader.fault("the answer to another question"));
    }
    reader.byte()?;
    reader.string()?;
    Ok(reader)
}

/// A subscription to variables of an object, as long as it is there.
fn subscription(id: &str, variables: &[u8]) -> Vec<u8> {
    let mut content = Vec::new();
    content.put_double(ALWAYS);
    content.put_double(ALWAYS);
    content.put_string(id);
    content.push(variables.len() as u8);
    content.extend(variables);
    content
}

fn read_subscription(reader: &mut Reader<'_>, step: &mut Step) -> Result<(), TraciError> {
    let (_, id) = reader.head()?;
    let object = reader.string()?;
    let mut vehicle = VehiclePlace::default();
    for _ in 0..reader.byte()? {
        let variable = reader.byte()?;
        if reader.byte()? != 0 {
            let reason = reader.typed_string()?;
            return Err(TraciError::Refused { command: id, reason });
        }
        match (id, variable) {
            (code::SIMULATION_ANSWER, code::TIME) => step.time_s = reader.typed_double()?,
            (code::LOOP_ANSWER, code::LOOP_VEHICLES) => {
                step.loops.push(LoopReading { id: object.clone(), vehicles: reader.loop_vehicles()? });
            }
            (code::SIMULATION_ANSWER, code::DEPARTED) => step.departed = reader.typed_strings()?,
            (code::VEHICLE_ANSWER, code::LANE) => vehicle.lane = reader.typed_string()?,
            (code::VEHICLE_ANSWER, code::LANE_POSITION) => vehicle.at_m = reader.typed_double()?,
            (code::VEHICLE_ANSWER, code::SPEED) => vehicle.speed_mps = reader.typed_double()?,
            (code::VEHICLE_ANSWER, code::ROUTE_INDEX) => {
                vehicle.link = usize::try_from(reader.typed_int()?).unwrap_or(0);
            }
            _ => return Err(reader.fault("a subscription nobody asked for")),
        }
    }
    if id == code::VEHICLE_ANSWER {
        vehicle.id = object;
        step.vehicles.push(vehicle);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn with_peer(peer: impl FnOnce(TcpStream) + Send + 'static) -> Traci {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        std::thread::spawn(move || peer(listener.accept().unwrap().0));
        Traci::connect(address, Duration::from_millis(600), Cancel::default()).unwrap()
    }

    fn read_message(stream: &mut TcpStream) -> Vec<u8> {
        let mut head = [0; 4];
        stream.read_exact(&mut head).unwrap();
        let mut body = vec![0; u32::from_be_bytes(head) as usize - 4];
        stream.read_exact(&mut body).unwrap();
        body
    }

    #[test]
    fn states_travel_with_the_step() {
        let mut traci = with_peer(|mut s| {
            let body = read_message(&mut s);
            let mut reader = Reader::new(&body);
            let (length, id) = reader.head().unwrap();
            assert_eq!((length, id), (1 + 4 + 1 + 1 + 4 + 2, 0xC2));
            // Status of the setting, status of the step, one subscription: the time.
            let mut answer = vec![7, 0xC2, 0, 0, 0, 0, 0, 7, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 1];
            answer.extend([18, 0xEB, 0, 0, 0, 0, 1, 0x66, 0, 0x0B]);
            answer.put_double(25_201.0);
            s.write_all(&(answer.len() as u32 + 4).to_be_bytes()).unwrap();
            s.write_all(&answer).unwrap();
        });
        traci.set_light_state("J", "Gr");
        assert_eq!(traci.step().unwrap(), Step { time_s: 25_201.0, ..Step::default() });
    }

    #[test]
    fn a_silent_peer_is_given_up() {
        let mut traci = with_peer(|s| {
            std::thread::sleep(Duration::from_secs(2));
            drop(s);
        });
        assert!(matches!(traci.step(), Err(TraciError::Timeout { .. })));
    }

    #[test]
    fn a_peer_that_dies_is_noticed() {
        let mut traci = with_peer(|mut s| {
            read_message(&mut s);
        });
        assert!(matches!(traci.step(), Err(TraciError::Closed)));
    }

    #[test]
    fn a_wait_can_be_called_off() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let cancel = Cancel::default();
        let mut traci =
            Traci::connect(listener.local_addr().unwrap(), Duration::from_secs(600), cancel.clone()).unwrap();
        cancel.cancel();
        assert!(matches!(traci.step(), Err(TraciError::Cancelled)));
    }

    #[test]
    fn an_impossible_length_is_refused() {
        let mut traci = with_peer(|mut s| {
            read_message(&mut s);
            s.write_all(&[0xFF; 8]).unwrap();
        });
        assert!(matches!(traci.step(), Err(TraciError::Malformed { .. })));
    }
}
