//! The folder of a sandbox: what was committed is there after a crash.

use std::path::Path;

use super::table::Durable;

/// sled, with one key for each row: the table's name, a zero byte, the row's id.
#[derive(Debug)]
pub struct Disk {
    db: sled::Db,
}

/// The world is small and in memory anyway; sled's own cache need not hold it a second time.
const CACHE_BYTES: u64 = 4 << 20;

impl Disk {
    /// Opens or makes the folder. One process at a time can.
    ///
    /// # Errors
    /// The folder cannot be written, or another process has it open.
    pub fn open(folder: &Path) -> sled::Result<Self> {
        let db = sled::Config::new().path(folder).cache_capacity(CACHE_BYTES).flush_every_ms(None).open()?;
        Ok(Self { db })
    }

    /// Fills the tables; rows of unknown tables are left alone.
    ///
    /// # Errors
    /// A row that this version cannot read, by its key.
    pub fn load(&self, tables: &mut [&mut dyn Durable]) -> Result<(), String> {
        for table in tables {
            let prefix = key(table.name(), "");
            for row in self.db.scan_prefix(&prefix) {
                let (key, bytes) = row.map_err(|error| error.to_string())?;
                let id = String::from_utf8_lossy(&key[prefix.len()..]).into_owned();
                table.load(&id, &bytes).map_err(|error| format!("{} {id}: {error}", table.name()))?;
            }
        }
        Ok(())
    }

    /// Takes what the tables changed into one batch; `false` when that is nothing. It is durable after [`Disk::flush`].
    ///
    /// # Errors
    /// sled's: a full or failing disk.
    pub fn commit(&self, tables: &mut [&mut dyn Durable]) -> sled::Result<bool> {
        let mut batch = sled::Batch::default();
        let mut any = false;
        for table in tables {
            for (id, bytes) in table.drain() {
                any = true;
                match bytes {
                    Some(bytes) => batch.insert(key(table.name(), &id), bytes),
                    None => batch.remove(key(table.name(), &id)),
                }
            }
        }
        if any {
            self.db.apply_batch(batch)?;
        }
        Ok(any)
    }

    /// Returns when everything committed so far is on disk. Not for several at the same time, and not by sled's `flush_async`: each
    /// such flush takes one of the few threads that write for sled, and waits there for what such a thread has to write. With a
    /// batch waiting for them to end, nobody goes on.
    ///
    /// # Errors
    /// sled's: a full or failing disk.
    pub async fn flush(&self) -> sled::Result<()> {
        let db = self.db.clone();
        let flushed = tokio::task::spawn_blocking(move || db.flush()).await;
        flushed.map_err(|error| sled::Error::Io(std::io::Error::other(error)))?.map(|_| ())
    }
}

fn key(table: &str, id: &str) -> Vec<u8> {
    [table.as_bytes(), &[0], id.as_bytes()].concat()
}
