//! `/proc/<pid>/net/{tcp,tcp6,udp,udp6,unix}`: the sockets of a network namespace
//! (`proc_pid_net(5)`, `Documentation/networking/proc_net_tcp.rst`).
//!
//! Addresses are printed as the 32-bit words that the kernel has in memory, so they are read in the
//! byte order of this machine; a tree that was recorded on one of the other order is misread.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use super::{Cursor, Malformed, lines, number};

/// A row of a TCP or UDP table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InetSocket {
    /// The address it is bound to.
    pub local: SocketAddr,
    /// The address it is connected to; all zero for none.
    pub remote: SocketAddr,
    /// The kernel's state: [`InetSocket::LISTEN`] and [`InetSocket::UNCONNECTED`] are used here.
    pub state: u8,
    /// The inode, 0 where no process has it.
    pub inode: u64,
}

impl InetSocket {
    /// `TCP_LISTEN`.
    pub const LISTEN: u8 = 0x0a;
    /// `TCP_CLOSE`, which is what a UDP socket that is not connected shows.
    pub const UNCONNECTED: u8 = 0x07;

    /// Whether a TCP socket waits for connections.
    #[must_use]
    pub fn listens(&self) -> bool {
        self.state == Self::LISTEN
    }

    /// Whether a UDP socket takes datagrams from anyone: bound, and not connected.
    #[must_use]
    pub fn receives(&self) -> bool {
        self.state == Self::UNCONNECTED
            && self.local.port() != 0
            && self.remote.port() == 0
            && self.remote.ip().is_unspecified()
    }
}

/// The rows of `tcp`, `tcp6`, `udp` or `udp6`; a bad row is an item of its own.
pub fn inet_sockets(bytes: &[u8]) -> impl Iterator<Item = Result<InetSocket, Malformed>> {
    lines(bytes).skip(1).map(|(number, line)| inet_socket(number, line))
}

fn inet_socket(line: usize, bytes: &[u8]) -> Result<InetSocket, Malformed> {
    let mut cursor = Cursor::new(line, bytes);
    cursor.word("slot")?;
    let local = address(&mut cursor, "local address")?;
    let remote = address(&mut cursor, "remote address")?;
    let state = cursor.word("state")?;
    let state = number(state, 16).ok_or_else(|| cursor.malformed("state"))?;
    for field in ["queues", "timer", "retransmits", "uid", "timeout"] {
        cursor.word(field)?;
    }
    let inode = cursor.decimal("inode")?;
    Ok(InetSocket { local, remote, state, inode })
}

fn address(cursor: &mut Cursor<'_>, field: &'static str) -> Result<SocketAddr, Malformed> {
    let word = cursor.word(field)?;
    parse_address(word).ok_or_else(|| cursor.malformed(field))
}

fn parse_address(word: &[u8]) -> Option<SocketAddr> {
    let colon = word.iter().position(|&b| b == b':')?;
    let (ip, port) = word.split_at_checked(colon)?;
    let port: u16 = number(port.get(1..)?, 16)?;
    let ip = match ip.len() {
        8 => IpAddr::V4(Ipv4Addr::from(memory_word(ip)?)),
        32 => {
            let mut octets = [0; 16];
            for (four, word) in octets.chunks_exact_mut(4).zip(ip.chunks_exact(8)) {
                four.copy_from_slice(&memory_word(word)?);
            }
            IpAddr::V6(Ipv6Addr::from(octets))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

fn memory_word(hex: &[u8]) -> Option<[u8; 4]> {
    number::<u32>(hex, 16).map(u32::to_ne_bytes)
}

/// A row of the table of UNIX sockets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixSocket {
    /// Whether it waits for connections (`__SO_ACCEPTCON`).
    pub listens: bool,
    /// The inode.
    pub inode: u64,
    /// Its name, empty for none; an abstract one begins with `@`, which stands for every NUL.
    pub path: Vec<u8>,
    /// Whether it has a name, which may begin with a newline.
    named: bool,
}

const SO_ACCEPTCON: u32 = 1 << 16;

/// The rows of `unix`; a bad row is an item of its own.
///
/// The kernel prints names as they are, and a name may hold a newline. A line that does not begin
/// as a row does is therefore the rest of the name before it. (A name can still imitate a whole
/// row, with the inode of another socket: that two rows claim one inode is for the caller to see.)
#[must_use]
pub fn unix_sockets(bytes: &[u8]) -> Vec<Result<UnixSocket, Malformed>> {
    let mut sockets: Vec<Result<UnixSocket, Malformed>> = Vec::new();
    let rows = (1..).zip(bytes.split(|&b| b == b'\n')).skip(1);
    // The table's own last newline leaves an empty rest, which is no part of a name.
    let rows = rows.filter(|(_, line)| !(line.is_empty() && at_end(bytes, line)));
    for (number, line) in rows {
        match sockets.last_mut() {
            Some(Ok(before)) if before.named && !begins_row(line) => {
                before.path.push(b'\n');
                before.path.extend_from_slice(line);
            }
            _ => sockets.push(unix_socket(number, line)),
        }
    }
    sockets
}

/// Whether `line`, which borrows from `bytes`, ends where `bytes` ends.
fn at_end(bytes: &[u8], line: &[u8]) -> bool {
    bytes.as_ptr_range().end == line.as_ptr_range().end
}

/// `<kernel address>: <8 hex> <8 hex> <8 hex> <4 hex> <2 hex> <inode>`
fn begins_row(line: &[u8]) -> bool {
    unix_socket(0, line).is_ok()
}

fn unix_socket(line: usize, bytes: &[u8]) -> Result<UnixSocket, Malformed> {
    let mut cursor = Cursor::new(line, bytes);
    let slot = cursor.word("slot")?;
    if !slot
        .strip_suffix(b":")
        .is_some_and(|hex| hex.len() >= 8 && number::<u64>(hex, 16).is_some())
    {
        return Err(cursor.malformed("slot"));
    }
    let mut hex = |field| {
        let word = cursor.word(field)?;
        number::<u32>(word, 16).ok_or_else(|| cursor.malformed(field))
    };
    let [_references, _protocol, flags] = [hex("references")?, hex("protocol")?, hex("flags")?];
    let [_type, _state] = [hex("type")?, hex("state")?];
    let inode = cursor.decimal("inode")?;
    // A space stands before a name, and nowhere else at the end of a row.
    let (path, named) = (cursor.rest.to_vec(), !cursor.rest.is_empty() || bytes.ends_with(b" "));
    Ok(UnixSocket { listens: flags & SO_ACCEPTCON != 0, inode, path, named })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    #[cfg(target_endian = "little")]
    #[test]
    fn a_tcp_listener_on_loopback_and_one_on_all_of_ipv6() {
        let table = format!(
            "{HEAD}   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 40117 1 0000000000000000 100 0 0 10 0\n\
             {}   1: 0000000000000000FFFF00000100007F:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 7 1 0 100 0 0 10 0\n",
            ""
        );
        let read: Vec<_> = inet_sockets(table.as_bytes()).map(Result::unwrap).collect();
        assert_eq!(read[0].local, "127.0.0.1:8080".parse().unwrap());
        assert_eq!((read[0].inode, read[0].listens()), (40117, true));
        assert_eq!(read[1].local, "[::ffff:127.0.0.1]:80".parse().unwrap());
    }

    #[cfg(target_endian = "little")]
    #[test]
    fn a_udp_socket_receives_when_it_is_bound_and_not_connected() {
        let row = |local: &str, remote: &str, state: &str| {
            let table = format!("{HEAD}  9: {local} {remote} {state} 0:0 0:0 0 0 0 5 2 0 0\n");
            inet_sockets(table.as_bytes()).next().unwrap().unwrap().receives()
        };
        assert!(row("00000000:0035", "00000000:0000", "07"));
        assert!(!row("00000000:0000", "00000000:0000", "07"), "not bound");
        assert!(!row("0100007F:0035", "0100007F:0400", "01"), "connected");
    }

    #[test]
    fn a_state_that_is_not_known_yet_and_a_bad_row_hide_nothing() {
        let table = format!(
            "{HEAD} 0: 0100007F:1F90 00000000:0000 0D 0:0 0:0 0 0 0 1\n 1: zz 00000000:0000 0A\n 2: 0100007F:1F90 00000000:0000 0A 0:0 0:0 0 0 0 3\n"
        );
        let read: Vec<_> = inet_sockets(table.as_bytes()).collect();
        assert_eq!(read[0].as_ref().unwrap().state, 0x0d);
        assert_eq!(read[1], Err(Malformed { field: "local address", line: 3 }));
        assert_eq!(read[2].as_ref().unwrap().inode, 3);
    }

    const UNIX: &[u8] = b"Num       RefCount Protocol Flags    Type St Inode Path\n";

    #[test]
    fn unix_names_keep_spaces_newlines_and_broken_utf8() {
        let rows = [
            UNIX,
            b"000000001c18a289: 00000003 00000000 00000000 0001 03  1159\n",
            b"00000000e94f011e: 00000002 00000000 00010000 0001 01 22158 /run/a b.sock\n",
            b"00000000e94f011e: 00000002 00000000 00010000 0001 01 22159 @x\xff\nNum\n\n",
            b"00000000e94f011e: 00000002 00000000 00010000 0005 01 22160 /run/c\n",
        ]
        .concat();
        let read: Vec<_> = unix_sockets(&rows).into_iter().map(Result::unwrap).collect();
        let told: Vec<_> = read.iter().map(|s| (s.listens, s.inode, &s.path[..])).collect();
        assert_eq!(
            told,
            [
                (false, 1159, &b""[..]),
                (true, 22158, b"/run/a b.sock"),
                (true, 22159, b"@x\xff\nNum\n"),
                (true, 22160, b"/run/c"),
            ]
        );
    }

    #[test]
    fn a_name_that_begins_with_a_newline_is_not_lost() {
        let rows =
            [UNIX, b"00000000e94f011e: 00000002 00000000 00010000 0001 01 7 \nfoo\n"].concat();
        let read = unix_sockets(&rows);
        assert_eq!(read.len(), 1);
        assert_eq!(read[0].as_ref().unwrap().path, b"\nfoo");
    }

    #[test]
    fn a_bad_unix_row_is_named_and_the_next_is_read() {
        let rows =
            [UNIX, b"zz\n000000001c18a289: 00000003 00000000 00000000 0001 03  1159\n"].concat();
        let read = unix_sockets(&rows);
        assert_eq!(read[0], Err(Malformed { field: "slot", line: 2 }));
        assert_eq!(read[1].as_ref().unwrap().inode, 1159);
    }
}
