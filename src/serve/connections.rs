//! The connections of one thread that are not done at once.

use std::collections::BTreeSet;
use std::os::fd::OwnedFd;
use std::time::Instant;

/// One connection.
#[derive(Debug)]
pub struct Connection {
    /// Its socket.
    pub socket: OwnedFd,
    /// When it was taken.
    pub since: Instant,
    /// What it waits for.
    pub state: State,
    deadline: Instant,
    generation: u32,
}

/// What a connection waits for.
#[derive(Debug)]
pub enum State {
    /// The rest of the request; this has come.
    Reading(Vec<u8>),
    /// Its answer.
    Waiting,
    /// The client's end; the answer has gone. So many bytes more are read.
    Lingering(usize),
}

/// Which connection; never another one, even if it takes the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token {
    /// Its place.
    pub index: u32,
    /// How many had the place before.
    pub generation: u32,
}

impl Token {
    /// Both in one number.
    pub fn number(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The token of such a number.
    pub fn of(number: u64) -> Token {
        Token { index: number as u32, generation: (number >> 32) as u32 }
    }
}

/// A table of connections.
#[derive(Debug, Default)]
pub struct Connections {
    places: Vec<(u32, Option<Connection>)>,
    free: Vec<u32>,
    /// The earliest deadline first.
    deadlines: BTreeSet<(Instant, u32)>,
}

impl Connections {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.deadlines.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.deadlines.is_empty()
    }

    /// Enters one; it has time until then.
    pub fn insert(
        &mut self,
        socket: OwnedFd,
        since: Instant,
        state: State,
        deadline: Instant,
    ) -> Token {
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push((0, None));
            u32::try_from(self.places.len().saturating_sub(1)).unwrap_or(u32::MAX)
        });
        let Some((generation, place)) = self.places.get_mut(index as usize) else {
            return Token { index, generation: 0 };
        };
        // The highest bit of a token's number stays free.
        *generation = generation.wrapping_add(1) & (u32::MAX >> 1);
        let generation = *generation;
        *place = Some(Connection { socket, since, state, deadline, generation });
        self.deadlines.insert((deadline, index));
        Token { index, generation }
    }

    /// The connection, if it is still there.
    pub fn get(&mut self, token: Token) -> Option<&mut Connection> {
        let (_, place) = self.places.get_mut(token.index as usize)?;
        place.as_mut().filter(|connection| connection.generation == token.generation)
    }

    /// Takes a connection out.
    pub fn remove(&mut self, token: Token) -> Option<Connection> {
        self.get(token)?;
        let connection = self.places.get_mut(token.index as usize)?.1.take()?;
        self.deadlines.remove(&(connection.deadline, token.index));
        self.free.push(token.index);
        Some(connection)
    }

    /// Gives a connection another state and more time.
    pub fn change(&mut self, token: Token, state: State, deadline: Instant) {
        let Some(connection) = self.get(token) else { return };
        let before = (connection.deadline, token.index);
        connection.state = state;
        connection.deadline = deadline;
        self.deadlines.remove(&before);
        self.deadlines.insert((deadline, token.index));
    }

    fn token(&self, index: u32) -> Token {
        let generation = self.places.get(index as usize).map_or(0, |place| place.0);
        Token { index, generation }
    }

    /// One whose time is up.
    pub fn late(&self, now: Instant) -> Option<Token> {
        let (deadline, index) = self.deadlines.first()?;
        (*deadline <= now).then(|| self.token(*index))
    }

    /// When the next one's time is up.
    pub fn next_deadline(&self) -> Option<Instant> {
        self.deadlines.first().map(|(deadline, _)| *deadline)
    }

    /// The one that has been sending its request for the longest time, or has got its answer.
    pub fn idlest(&self) -> Option<Token> {
        let idle = |index: &u32| {
            let place = self.places.get(*index as usize).and_then(|place| place.1.as_ref());
            place.is_some_and(|connection| !matches!(connection.state, State::Waiting))
        };
        let found = self.deadlines.iter().map(|(_, index)| *index).find(idle)?;
        Some(self.token(found))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;
    use std::time::Duration;

    fn socket() -> OwnedFd {
        UnixStream::pair().unwrap().0.into()
    }

    #[test]
    fn a_token_is_of_one_connection_alone() {
        let mut table = Connections::default();
        let now = Instant::now();
        let first = table.insert(socket(), now, State::Waiting, now);
        assert_eq!(Token::of(first.number()), first);
        assert!(table.remove(first).is_some() && table.remove(first).is_none());
        let second = table.insert(socket(), now, State::Waiting, now);
        assert_eq!(first.index, second.index);
        assert!(table.get(first).is_none() && table.get(second).is_some());
        assert_eq!(table.len(), 1);
    }

    #[test]
    fn the_idlest_is_the_first_that_does_not_wait_for_us() {
        let mut table = Connections::default();
        let now = Instant::now();
        let after = |seconds| now + Duration::from_secs(seconds);
        let waits = table.insert(socket(), now, State::Waiting, after(1));
        let old = table.insert(socket(), now, State::Reading(Vec::new()), after(2));
        let new = table.insert(socket(), now, State::Reading(Vec::new()), after(3));
        assert_eq!(table.idlest(), Some(old));
        assert_eq!((table.late(now), table.late(after(1))), (None, Some(waits)));
        table.change(old, State::Waiting, after(9));
        assert_eq!(table.idlest(), Some(new));
        table.remove(waits);
        assert_eq!(table.next_deadline(), Some(after(3)));
    }
}
