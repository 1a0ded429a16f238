//! Entities in flat arrays: a place is used again, under another generation.

use super::timeline::same;
use std::ops::{Index, IndexMut};

/// Most entities of a kind at once.
const MOST: usize = 1 << 28;

/// Where an entity is, and which one of those that were there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key {
    /// The place.
    pub index: u32,
    /// How many were there before.
    pub generation: u32,
}

impl Key {
    /// Nobody.
    pub const NONE: Key = Key {
        index: u32::MAX,
        generation: 0,
    };

    /// A number that is no place: a market, a region.
    pub fn number(number: usize) -> Key {
        Key {
            index: number as u32,
            generation: 0,
        }
    }

    /// The place as a number.
    pub fn at(self) -> usize {
        self.index as usize
    }
}

/// Entities of one kind.
pub struct Slab<T> {
    items: Vec<(u32, Option<T>)>,
    free: Vec<u32>,
}

impl<T> Slab<T> {
    /// None.
    pub fn new() -> Slab<T> {
        Slab {
            items: Vec::new(),
            free: Vec::new(),
        }
    }

    /// Adds one.
    #[inline]
    pub fn insert(&mut self, item: T) -> Key {
        match self.free.pop() {
            Some(index) => {
                let place = &mut self.items[index as usize];
                place.1 = Some(item);
                Key {
                    index,
                    generation: place.0,
                }
            }
            None => {
                let index = self.items.len();
                assert!(index < MOST, "at most {MOST} entities of a kind at once");
                self.items.push((0, Some(item)));
                Key::number(index)
            }
        }
    }

    /// Takes one out.
    #[inline]
    pub fn remove(&mut self, key: Key) -> Option<T> {
        if !self.lives(key) {
            return None;
        }
        let place = &mut self.items[key.index as usize];
        place.0 = place.0.wrapping_add(1);
        self.free.push(key.index);
        place.1.take()
    }

    /// Whether one is still there.
    #[inline]
    pub fn lives(&self, key: Key) -> bool {
        let place = self.items.get(key.index as usize);
        place.is_some_and(|place| place.1.is_some() && same(place.0, key.generation))
    }

    /// One, if it is still there.
    #[inline]
    pub fn get(&self, key: Key) -> Option<&T> {
        let place = self.items.get(key.index as usize)?;
        match same(place.0, key.generation) {
            true => place.1.as_ref(),
            false => None,
        }
    }

    /// One to be changed, if it is still there.
    #[inline]
    pub fn get_mut(&mut self, key: Key) -> Option<&mut T> {
        let place = self.items.get_mut(key.index as usize)?;
        match same(place.0, key.generation) {
            true => place.1.as_mut(),
            false => None,
        }
    }

    /// Places, taken or free.
    pub fn places(&self) -> u32 {
        self.items.len() as u32
    }

    /// Who is at a place.
    pub fn key_at(&self, index: u32) -> Option<Key> {
        let place = self.items.get(index as usize)?;
        place.1.as_ref().map(|_| Key {
            index,
            generation: place.0,
        })
    }

    /// All, in the order of their places.
    pub fn keys(&self) -> Vec<Key> {
        let places = self.items.iter().enumerate().filter(|p| p.1.1.is_some());
        places
            .map(|(index, place)| Key {
                index: index as u32,
                generation: place.0,
            })
            .collect()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.items.len() - self.free.len()
    }
}

impl<T> Index<Key> for Slab<T> {
    type Output = T;
    fn index(&self, key: Key) -> &T {
        self.get(key).expect("it is still there")
    }
}

impl<T> IndexMut<Key> for Slab<T> {
    fn index_mut(&mut self, key: Key) -> &mut T {
        self.get_mut(key).expect("it is still there")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_gone_is_not_taken_for_who_came_after() {
        let mut slab = Slab::new();
        let (a, b) = (slab.insert("a"), slab.insert("b"));
        assert_eq!(slab.remove(a), Some("a"));
        assert_eq!(slab.remove(a), None);
        let c = slab.insert("c");
        assert_eq!(c.index, a.index);
        assert!(!slab.lives(a) && slab.lives(b) && slab.lives(c));
        assert_eq!(slab.get(a), None);
        assert_eq!(slab[c], "c");
        assert_eq!((slab.len(), slab.keys()), (2, vec![c, b]));
    }
}
