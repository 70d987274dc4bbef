//! Reading ahead: a thread of its own reads while others work on what was read before.

use std::io;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use super::entry::{Entry, Reader};
use super::rows::BadRow;

/// Entries handed over at a time, unless their texts are long.
const ENTRIES: usize = 64;
/// Bytes of text handed over at a time.
const BYTES: usize = 1 << 20;
/// Handovers that wait for whoever works on them.
const WAITING: usize = 2;
/// Documents may be nested deeply: as much as the main thread has.
const STACK: usize = 8 << 20;

/// An entry, or a row that could not be read.
type Read = Result<Entry, BadRow>;

/// Gives `work` the entries of `reader`, in their order, while they are being read; at most a few MB ahead, and no further once `work`
/// has ended.
///
/// # Errors
/// `Io` if there can be no thread.
pub fn ahead<T>(reader: &mut dyn Reader, work: impl FnOnce(&mut dyn Iterator<Item = Read>) -> T) -> io::Result<T> {
    let (send, received) = sync_channel(WAITING);
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("reader".to_owned()).stack_size(STACK);
        thread.spawn_scoped(scope, move || read(reader, &send))?;
        Ok(work(&mut received.into_iter().flatten()))
    })
}

fn read(reader: &mut dyn Reader, send: &SyncSender<Vec<Read>>) {
    loop {
        let mut entries = Vec::new();
        let mut bytes = 0;
        while entries.len() < ENTRIES && bytes < BYTES {
            let Some(entry) = reader.next_entry() else { break };
            bytes += length(&entry);
            entries.push(entry);
        }
        // Nobody takes them if the work has ended.
        if entries.is_empty() || send.send(entries).is_err() {
            return;
        }
    }
}

fn length(entry: &Read) -> usize {
    match entry {
        Ok(Entry::Comment(row)) => row.stated.comment.text.len(),
        Ok(_) => 0,
        Err(bad) => bad.raw.len(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pingbacks without end, or as many as there are, with a bad row for every seventh.
    struct Rows(std::ops::RangeFrom<u64>, u64);

    impl Reader for Rows {
        fn next_entry(&mut self) -> Option<Read> {
            let line = self.0.next().filter(|line| *line < self.1)?;
            let bad = || BadRow::unusable(line, "", "bad".to_owned());
            Some(if line % 7 == 0 { Err(bad()) } else { Ok(Entry::Missing(line)) })
        }
    }

    #[test]
    fn entries_and_bad_rows_come_in_the_order_of_the_reader() {
        let line = |read: Read| match read {
            Ok(Entry::Missing(line)) => line,
            Ok(other) => panic!("{other:?}"),
            Err(bad) => bad.line,
        };
        let lines = ahead(&mut Rows(0.., 1000), |entries| entries.map(line).collect::<Vec<_>>()).unwrap();
        assert_eq!(lines, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn a_reader_without_end_is_left_once_the_work_has_ended() {
        assert_eq!(ahead(&mut Rows(1.., u64::MAX), |entries| entries.take(3).count()).unwrap(), 3);
    }
}
