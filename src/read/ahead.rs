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
