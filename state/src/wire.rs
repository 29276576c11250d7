//! Bytes: whole numbers, texts and sequences, written one after the other and read back with suspicion.

/// Bytes that do not say what they should; the reason is for a person.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(pub(crate) String);

impl Malformed {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

/// How deep values may nest: far beyond any real one, and far below the stack of the thread that reads.
const DEPTH_MAX: usize = 1_000;

fn too_deep() -> Malformed {
    Malformed::new(format!("values are nested deeper than {DEPTH_MAX} levels"))
}

/// Writes into a growing buffer.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
    depth: usize,
    too_deep: bool,
}

impl Writer {
    /// What was written; refused when a reader would refuse it.
    pub(crate) fn finish(self) -> Result<Vec<u8>, Malformed> {
        if self.too_deep { Err(too_deep()) } else { Ok(self.out) }
    }

    /// Runs `write` one level deeper.
    pub(crate) fn nested(&mut self, write: impl FnOnce(&mut Self)) {
        if self.depth == DEPTH_MAX {
            self.too_deep = true;
            return;
        }
        self.depth += 1;
        write(self);
        self.depth -= 1;
    }

    pub(crate) fn byte(&mut self, b: u8) {
        self.out.push(b);
    }

    /// Seven bits a byte, lowest first (LEB128).
    pub(crate) fn uint(&mut self, mut n: u64) {
        loop {
            let low = (n & 0x7f) as u8;
            n >>= 7;
            if n == 0 {
                self.out.push(low);
                return;
            }
            self.out.push(low | 0x80);
        }
    }

    /// Small negative numbers stay small (zigzag).
    pub(crate) fn int(&mut self, n: i64) {
        self.uint(((n << 1) ^ (n >> 63)).cast_unsigned());
    }

    pub(crate) fn len(&mut self, n: usize) {
        self.uint(n as u64);
    }

    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.len(bytes.len());
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    pub(crate) fn flag(&mut self, b: bool) {
        self.byte(u8::from(b));
    }

    pub(crate) fn option<T: ?Sized>(&mut self, value: Option<&T>, write: impl FnOnce(&mut Self, &T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }

    pub(crate) fn seq<'a, T: 'a>(
        &mut self,
        items: impl ExactSizeIterator<Item = &'a T>,
        mut write: impl FnMut(&mut Self, &'a T),
    ) {
        self.len(items.len());
        for item in items {
            write(self, item);
        }
    }
}

/// Reads from a slice; every answer is checked.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
    depth: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, depth: 0 }
    }

    /// Reads one thing and nothing after it.
    pub(crate) fn whole<T>(
        bytes: &'a [u8],
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<T, Malformed> {
        let mut reader = Self::new(bytes);
        let value = read(&mut reader)?;
        if reader.rest.is_empty() {
            return Ok(value);
        }
        Err(Malformed::new(format!("{} bytes too many", reader.rest.len())))
    }

    /// Runs `read` one level deeper.
    pub(crate) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Malformed>) -> Result<T, Malformed> {
        if self.depth == DEPTH_MAX {
            return Err(too_deep());
        }
        self.depth += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or_else(|| Malformed::new("it ends too early"))?;
        self.rest = rest;
        Ok(head)
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        Ok(self.take(1)?[0])
    }

    pub(crate) fn uint(&mut self) -> Result<u64, Malformed> {
        let mut n = 0_u64;
        for shift in (0..).step_by(7).take(10) {
            let b = self.byte()?;
            let low = u64::from(b & 0x7f);
            if shift == 63 && low > 1 {
                break;
            }
            n |= low << shift;
            if b & 0x80 == 0 {
                return Ok(n);
            }
        }
        Err(Malformed::new("a whole number is too long"))
    }

    pub(crate) fn int(&mut self) -> Result<i64, Malformed> {
        let n = self.uint()?;
        Ok((n >> 1).cast_signed() ^ -(n & 1).cast_signed())
    }

    /// A length; never more than the bytes that are left, so that it is safe to reserve room for it.
    pub(crate) fn len(&mut self) -> Result<usize, Malformed> {
        let n = self.uint()?;
        usize::try_from(n)
            .ok()
            .filter(|n| *n <= self.rest.len())
            .ok_or_else(|| Malformed::new("a length is larger than what follows"))
    }

    pub(crate) fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let n = self.len()?;
        self.take(n)
    }

    pub(crate) fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed::new("a text is not UTF-8"))
    }

    pub(crate) fn flag(&mut self) -> Result<bool, Malformed> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(Malformed::new(format!("{other} is neither yes nor no"))),
        }
    }

    pub(crate) fn option<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        self.flag()?.then(|| read(self)).transpose()
    }

    /// A sequence, into any collection.
    pub(crate) fn seq<T, C: FromIterator<T>>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<C, Malformed> {
        let n = self.len()?;
        (0..n).map(|_| read(self)).collect()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn numbers_and_texts_come_back(n: u64, i: i64, text: String, many: Vec<u64>) {
            let mut w = Writer::default();
            w.uint(n);
            w.int(i);
            w.text(&text);
            w.seq(many.iter(), |w, n| w.uint(*n));
            let bytes = w.finish().unwrap();
            let read = Reader::whole(&bytes, |r| {
                Ok((r.uint()?, r.int()?, r.text()?.to_owned(), r.seq::<_, Vec<_>>(Reader::uint)?))
            });
            prop_assert_eq!(read.unwrap(), (n, i, text, many));
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes: Vec<u8>) {
            let _ = Reader::whole(&bytes, |r| r.seq::<_, Vec<_>>(|r| r.text().map(str::to_owned)));
            let _ = Reader::whole(&bytes, |r| r.option(Reader::int));
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        let rows: [(&[u8], &str); 5] = [
            (&[5, b'a'], "a length is larger than what follows"),
            (&[1, b'a', 0], "1 bytes too many"),
            (&[], "it ends too early"),
            (&[0xff; 11], "a whole number is too long"),
            (&[1, 0xff], "a text is not UTF-8"),
        ];
        for (bytes, expected) in rows {
            assert_eq!(Reader::whole(bytes, Reader::text).unwrap_err().to_string(), expected, "{bytes:?}");
        }
    }
}
