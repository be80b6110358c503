//! Which of a driver's positions is the newest, when the driver was last heard from, and which positions are impossible.
//!
//! Three clocks are involved:
//!
//! - The **phone's** orders the positions of one phone. It may be wrong, and may be set while the driver is on the road.
//! - The **record's** says when a report reached Kafka. It is the broker's clock if the topic says so
//!   (`message.timestamp.type=LogAppendTime`, as setup creates it), else the producer's. Times in a [`Track`] are on this clock.
//! - The record's **offset** is not a clock, but shows which of two reports arrived later, whatever the clocks say.
//!
//! A phone's time that is within a minute of the record's is believed. Otherwise the report is an old one that comes late, or
//! the phone's clock is wrong. One report does not show which, but several do: if the clock is merely wrong, it runs on between reports,
//! so the difference to the record's time stays the same. From then on the difference is subtracted. Until then, for a few seconds,
//! reports that seem old or from the future do not move the driver on the map.
//!
//! A report may have no valid place or time: a phone without satellites sends `null`, one whose clock has lost its power a time in
//! 1970. Such a driver does not move either, but was heard from.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::report::LocationUpdate;
use crate::{Location, Region};

/// How far a phone's clock may be from the record's and still be believed, in ms.
const CLOCK_TOLERANCE_MS: i64 = 60_000;
/// For how long reports must keep their difference to the record's time before the phone's clock is taken to be off by it, in ms.
const CLOCK_CONFIRMED_AFTER_MS: i64 = 5_000;
/// How fast a driver may be, in degrees a second: twice as fast as the simulated ones, whose pace is ten times that of a car.
const MAX_SPEED: f64 = 0.01;
/// How far a driver may seem to jump in no time at all, in degrees: a little more than the width of a region. Drivers that
/// are simulated without waiting cross a region in a few milliseconds, and reports may overtake each other on the way.
const JUMP_TOLERANCE: f64 = 0.15;
/// Impossible positions that follow each other within this time are one series, in ms.
const SPELL_MS: i64 = 10 * 60 * 1000;

/// The time and the offset of a report's record in Kafka.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Received {
    /// The record's time, in ms since 1970.
    pub at: i64,
    /// The record's offset in its partition. All records of a driver are in one partition.
    pub offset: i64,
}

/// A position that has been accepted, or would have been but for its distance.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// The place.
    #[serde(flatten)]
    pub location: Location,
    /// The time, in ms since 1970; never later than the record's time.
    pub timestamp: i64,
    /// How much later it is by the phone's clock, in ms. Orders fixes of the same time.
    #[serde(default, skip_serializing_if = "is_zero")]
    ahead: i64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for it")]
fn is_zero(number: &i64) -> bool {
    *number == 0
}

impl Fix {
    /// A fix from `time` in a record that was written at `received_at`: it cannot be newer than that.
    fn new(location: Location, time: i64, received_at: i64) -> Self {
        let timestamp = time.min(received_at);
        Self {
            location,
            timestamp,
            ahead: time.saturating_sub(timestamp),
        }
    }

    fn is_newer_than(&self, other: &Self) -> bool {
        (self.timestamp, self.ahead) > (other.timestamp, other.ahead)
    }

    /// Whether a driver can have got from here to `later`.
    fn reaches(&self, later: &Self) -> bool {
        let ms = later.timestamp.saturating_sub(self.timestamp).max(0);
        #[expect(
            clippy::cast_precision_loss,
            reason = "a bound, and exact for 200,000 years"
        )]
        let allowed = JUMP_TOLERANCE + MAX_SPEED * ms as f64 / 1_000.0;
        self.location.distance(later.location) <= allowed
    }
}

/// Why a position is impossible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Impossible {
    /// At 0° north, 0° east, which phones report that do not know their position.
    Zero,
    /// Too far from every region.
    Outside,
    /// Too far from the last position for the time between them.
    Jump,
    /// The report has no valid place or time.
    Unusable,
}

/// The verdict on a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The driver is there now.
    Newest,
    /// As old as the newest position, or older.
    Stale,
    /// From a time in the future.
    Future,
    /// No driver can be there. `begins` says that this is the first such report for some time, so that it can be published once.
    Impossible {
        /// Why.
        why: Impossible,
        /// Whether a series of them begins.
        begins: bool,
    },
}

impl Impossible {
    /// The reason for people.
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Zero => "the position is 0° north, 0° east: the phone does not know where it is",
            Self::Outside => "the position is too far from every delivery region",
            Self::Jump => "no vehicle gets there from the last position in that time",
            Self::Unusable => "the report has no valid place or time",
        }
    }

    /// The reason as a label of a metric.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Zero => "zero",
            Self::Outside => "outside",
            Self::Jump => "jump",
            Self::Unusable => "unusable",
        }
    }

    /// Why no driver can ever be there, if that is so.
    fn of(location: Location) -> Option<Self> {
        if location.lon() == 0.0 && location.lat() == 0.0 {
            return Some(Self::Zero);
        }
        let is_near = Region::ALL.iter().any(|region| region.is_near(location));
        (!is_near).then_some(Self::Outside)
    }
}

impl Verdict {
    /// The verdict as a label of a metric.
    #[must_use]
    pub fn kind(self) -> &'static str {
        match self {
            Self::Newest => "newest",
            Self::Stale => "stale",
            Self::Future => "future",
            Self::Impossible { why, .. } => why.kind(),
        }
    }
}

/// What is known of a driver from the reports of the driver's phone.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Track {
    #[serde(flatten)]
    newest: Option<Fix>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    heard: Option<Received>,
    /// By how much the phone's clock is known to be behind the record's, in ms; negative if it is ahead.
    #[serde(default, skip_serializing_if = "is_zero")]
    clock_behind: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    clock_in_doubt: Option<ClockInDoubt>,
    /// A fix that was refused as a jump. The driver is there if the next one says so too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    jumped_to: Option<Fix>,
    /// The time of the last record with an impossible position.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    impossible_at: Option<i64>,
}

/// A report whose time may be wrong.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
struct ClockInDoubt {
    /// By how much the report is older than its record, in ms.
    behind: i64,
    /// The time of its record.
    since: i64,
}

impl Track {
    /// The newest position that was accepted.
    #[must_use]
    pub fn newest(&self) -> Option<Fix> {
        self.newest
    }

    /// When the driver was last heard from, by the record's clock, in ms since 1970, whatever the report was worth.
    #[must_use]
    pub fn heard_at(&self) -> Option<i64> {
        let heard = self.heard.map(|heard| heard.at);
        heard.or(self.newest.map(|newest| newest.timestamp))
    }

    /// Evaluates a report; one without an update has no valid place or time.
    pub fn take(
        &mut self,
        update: impl Into<Option<LocationUpdate>>,
        received: Received,
    ) -> Verdict {
        // Either may be lower than before: the offset after the topic was created again, the time after a clock was set back.
        let is_latest = self
            .heard
            .is_none_or(|last| received.offset > last.offset || received.at > last.at);
        if is_latest {
            self.heard = Some(received);
        }
        let Some(update) = update.into() else {
            return self.refuse(Impossible::Unusable, received);
        };
        if let Some(why) = Impossible::of(update.location) {
            return self.refuse(why, received);
        }
        let fix = match self.date(update, received, is_latest) {
            Ok(fix) => fix,
            Err(verdict) => return verdict,
        };
        if self.newest.is_some_and(|newest| !newest.reaches(&fix)) {
            let is_confirmed = self
                .jumped_to
                .is_some_and(|first| fix.is_newer_than(&first) && first.reaches(&fix));
            if !is_confirmed {
                self.jumped_to = Some(fix);
                return self.refuse(Impossible::Jump, received);
            }
        }
        self.jumped_to = None;
        self.newest = Some(fix);
        Verdict::Newest
    }

    /// When the driver was there, if that is later than what is known; otherwise a verdict.
    fn date(
        &mut self,
        update: LocationUpdate,
        received: Received,
        is_latest: bool,
    ) -> Result<Fix, Verdict> {
        let phone = update.timestamp.unwrap_or(received.at);
        let behind = received.at.saturating_sub(phone);
        let is_close = |time: i64| received.at.abs_diff(time) <= CLOCK_TOLERANCE_MS.unsigned_abs();
        let mut time = phone.saturating_add(self.clock_behind);
        if !is_close(time) && is_close(phone) {
            // The phone's clock has been corrected.
            self.clock_behind = 0;
            time = phone;
        }
        let fix = Fix::new(update.location, time, received.at);
        let is_newer = self.newest.is_none_or(|newest| fix.is_newer_than(&newest));
        if is_newer && is_close(time) {
            self.clock_in_doubt = None;
            return Ok(fix);
        }
        if is_latest && self.is_clock_confirmed(behind, received.at) {
            // Even if that is earlier than what was taken for the newest: then it was that time that was wrong.
            self.clock_behind = behind;
            return Ok(Fix::new(update.location, received.at, received.at));
        }
        if time > received.at && !is_close(time) {
            Err(Verdict::Future)
        } else if is_newer {
            // Old, but the newest so far: the phone kept its reports while it had no connection.
            Ok(fix)
        } else {
            Err(Verdict::Stale)
        }
    }

    /// Whether a phone whose report is `behind` its record, written at `at`, has a clock that runs but is off by that much.
    fn is_clock_confirmed(&mut self, behind: i64, at: i64) -> bool {
        let doubt = ClockInDoubt { behind, since: at };
        let Some(first) = self.clock_in_doubt else {
            self.clock_in_doubt = Some(doubt);
            return false;
        };
        let elapsed = at.saturating_sub(first.since);
        if elapsed.saturating_abs() < CLOCK_CONFIRMED_AFTER_MS {
            return false;
        }
        // A repeated report has a clock that stands still; many kept reports that come at once have one that rushes.
        let drift = behind.saturating_sub(first.behind).saturating_abs();
        let runs = elapsed > 0 && drift <= elapsed / 2;
        self.clock_in_doubt = (!runs).then_some(doubt);
        runs
    }

    fn refuse(&mut self, why: Impossible, received: Received) -> Verdict {
        let last = self.impossible_at.replace(received.at);
        let begins = last.is_none_or(|last| received.at.abs_diff(last) > SPELL_MS.unsigned_abs());
        Verdict::Impossible { why, begins }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NOW: i64 = 1_795_867_200_000;
    const DAY: i64 = 24 * 60 * 60 * 1000;

    fn place(x: f64) -> Location {
        Region::SanJose.at(x, 0.5)
    }

    fn far() -> Location {
        Region::SanFrancisco.at(0.5, 0.5)
    }

    /// A driver's phone, whose reports reach Kafka at once.
    #[derive(Default)]
    struct Phone {
        track: Track,
        /// By the record's clock.
        now: i64,
        offset: i64,
        /// How far the phone's clock is ahead.
        ahead: i64,
    }

    impl Phone {
        fn new() -> Self {
            Self {
                now: NOW,
                ..Self::default()
            }
        }

        /// Reports `location` after `ms`.
        fn report(&mut self, location: Location, ms: i64) -> Verdict {
            self.now += ms;
            self.send(location, Some(self.now + self.ahead))
        }

        fn send(&mut self, location: Location, timestamp: Option<i64>) -> Verdict {
            self.offset += 1;
            let update = LocationUpdate {
                location,
                timestamp,
            };
            let received = Received {
                at: self.now,
                offset: self.offset,
            };
            self.track.take(update, received)
        }

        fn place(&self) -> Location {
            self.track.newest().unwrap().location
        }

        /// Reports every 200 ms until a report is accepted; how long that takes.
        fn until_accepted(&mut self) -> i64 {
            let begin = self.now;
            while self.report(place(0.9), 200) != Verdict::Newest {
                assert!(self.now - begin < 60_000, "locked out: {:?}", self.track);
            }
            self.now - begin
        }
    }

    #[test]
    fn later_positions_are_newer_and_repeated_and_old_ones_are_not() {
        let mut phone = Phone::new();
        assert_eq!(phone.report(place(0.1), 0), Verdict::Newest);
        assert_eq!(phone.report(place(0.2), 0), Verdict::Stale);
        assert_eq!(phone.report(place(0.2), 1), Verdict::Newest);
        let hour_ago = Some(NOW - 3_600_000);
        for _ in 0..3 {
            phone.now += 1;
            assert_eq!(phone.send(place(0.9), hour_ago), Verdict::Stale);
        }
        assert_eq!(phone.place(), place(0.2));
        assert_eq!(phone.track.heard_at(), Some(NOW + 4));
        // The record's time counts where the phone has none.
        phone.now += 1;
        assert_eq!(phone.send(place(0.3), None), Verdict::Newest);
        assert_eq!(phone.track.newest().unwrap().timestamp, NOW + 5);
    }

    #[test]
    fn several_positions_in_one_batch_are_told_apart_by_the_phones_clock() {
        let mut phone = Phone::new();
        for step in 0..20 {
            let time = Some(NOW + step);
            let there = place(f64::from(u8::try_from(step).unwrap()) / 100.0);
            assert_eq!(phone.send(there, time), Verdict::Newest);
            assert_eq!(phone.place(), there);
            assert_eq!(phone.track.newest().unwrap().timestamp, NOW);
        }
        assert_eq!(phone.send(place(0.0), Some(NOW + 3)), Verdict::Stale);
    }

    #[test]
    fn a_phone_whose_clock_is_set_is_frozen_for_seconds_and_not_for_a_day() {
        for set_by in [-DAY, DAY, -3_600_000, 3_600_000, -90_000, 90_000, -50_000] {
            let mut phone = Phone::new();
            assert_eq!(phone.report(place(0.1), 0), Verdict::Newest);
            phone.ahead = set_by;
            let refused = phone.report(place(0.2), 200);
            assert_ne!(refused, Verdict::Newest, "{set_by}");
            assert_eq!(phone.track.heard_at(), Some(phone.now));
            assert!(
                phone.until_accepted() <= CLOCK_CONFIRMED_AFTER_MS + 400,
                "{set_by}"
            );
            // From now on every report counts, on the record's clock.
            for step in 0..50 {
                assert_eq!(phone.report(place(0.5), 200), Verdict::Newest, "{step}");
                assert_eq!(phone.track.newest().unwrap().timestamp, phone.now);
            }
            // A clock that is put right is believed at once.
            phone.ahead = 0;
            assert_eq!(phone.report(place(0.6), 200), Verdict::Newest, "{set_by}");
        }
    }

    #[test]
    fn a_clock_may_be_set_forward_and_back_and_forward_again() {
        let mut phone = Phone::new();
        phone.report(place(0.1), 0);
        for ahead in [30_000, 0, DAY, -DAY, 2 * DAY, 0, -DAY, DAY, -50_000, 0] {
            phone.ahead = ahead;
            assert!(phone.until_accepted() <= 2 * CLOCK_CONFIRMED_AFTER_MS + 400);
        }
    }

    #[test]
    fn a_phone_that_has_always_been_wrong_can_be_followed() {
        for ahead in [-DAY, DAY] {
            let mut phone = Phone::new();
            phone.ahead = ahead;
            for _ in 0..40 {
                phone.report(place(0.5), 200);
            }
            assert_eq!(phone.track.newest().unwrap().timestamp, phone.now);
        }
    }

    #[test]
    fn a_phone_that_reports_once_a_minute_over_a_slow_network_is_not_locked_out() {
        let mut phone = Phone::new();
        phone.report(place(0.1), 0);
        phone.ahead = -DAY;
        let verdicts: Vec<_> = [61_000, 52_000, 65_000, 59_000]
            .map(|ms| phone.report(place(0.2), ms))
            .into();
        assert_eq!(verdicts[0], Verdict::Stale);
        assert!(verdicts.contains(&Verdict::Newest), "{verdicts:?}");
    }

    #[test]
    fn a_single_position_from_the_future_moves_nobody_and_blocks_nobody() {
        let mut phone = Phone::new();
        phone.report(place(0.1), 0);
        assert_eq!(phone.send(place(0.9), Some(NOW + DAY)), Verdict::Future);
        assert_eq!(phone.report(place(0.2), 200), Verdict::Newest);
        assert_eq!(phone.place(), place(0.2));
    }

    #[test]
    fn a_record_from_the_future_blocks_the_driver_for_seconds() {
        // The producer's clock is wrong, and the phone's with it.
        let mut phone = Phone::new();
        phone.report(place(0.1), 0);
        phone.now += DAY;
        assert_eq!(phone.report(place(0.2), 200), Verdict::Newest);
        phone.now -= DAY;
        assert_eq!(phone.report(place(0.3), 200), Verdict::Stale);
        assert!(phone.until_accepted() <= CLOCK_CONFIRMED_AFTER_MS + 200);
        assert_eq!(phone.track.heard_at(), Some(phone.now));
    }

    #[test]
    fn positions_that_a_phone_kept_while_offline_are_old_and_not_a_wrong_clock() {
        let mut phone = Phone::new();
        phone.report(place(0.1), 0);
        phone.now += 600_000;
        // One a second was kept; they come within ten seconds, oldest first, and the latest counts.
        for second in 1..=600 {
            phone.now += 16;
            let kept = NOW + second * 1_000;
            assert_eq!(phone.send(place(0.2), Some(kept)), Verdict::Newest);
            assert_eq!(phone.track.newest().unwrap().timestamp, kept);
        }
        assert_eq!(phone.report(place(0.3), 200), Verdict::Newest);
        // They come again, after the driver has moved on.
        for second in 1..=600 {
            phone.now += 16;
            let kept = Some(NOW + second * 1_000);
            assert_eq!(phone.send(place(0.2), kept), Verdict::Stale);
        }
        assert_eq!(phone.place(), place(0.3));
    }

    #[test]
    fn a_phone_that_repeats_its_last_position_is_heard_and_stays_where_it_is() {
        let mut phone = Phone::new();
        phone.report(place(0.1), 0);
        for _ in 0..100 {
            phone.now += 1_000;
            assert_eq!(phone.send(place(0.2), Some(NOW)), Verdict::Stale);
        }
        assert_eq!(phone.place(), place(0.1));
        assert_eq!(phone.track.heard_at(), Some(phone.now));
    }

    #[test]
    fn a_driver_is_heard_again_after_the_topic_was_created_again() {
        let mut phone = Phone::new();
        phone.offset = 1_000_000;
        phone.report(place(0.1), 0);
        phone.offset = 0;
        assert_eq!(phone.report(place(0.2), 1_000), Verdict::Newest);
        assert_eq!(phone.track.heard_at(), Some(phone.now));
    }

    #[test]
    fn impossible_positions_move_nobody_are_heard_and_begin_one_series() {
        let nowhere = Location::new(0.0, 0.0).unwrap();
        let swapped = Location::new(37.3, -89.9).unwrap();
        let mut phone = Phone::new();
        phone.report(place(0.1), 0);
        for (location, why, begins) in [
            (nowhere, Impossible::Zero, true),
            (nowhere, Impossible::Zero, false),
            (swapped, Impossible::Outside, false),
            (far(), Impossible::Jump, false),
        ] {
            let verdict = phone.report(location, 1_000);
            assert_eq!(verdict, Verdict::Impossible { why, begins });
            assert_eq!(phone.track.heard_at(), Some(phone.now));
        }
        phone.now += 1_000;
        phone.offset += 1;
        let received = Received {
            at: phone.now,
            offset: phone.offset,
        };
        let unusable = Verdict::Impossible {
            why: Impossible::Unusable,
            begins: false,
        };
        assert_eq!(phone.track.take(None, received), unusable);
        assert_eq!(phone.track.heard_at(), Some(phone.now));
        // A phone that only sometimes knows where it is stays in one series.
        assert_eq!(phone.report(place(0.1), 1_000), Verdict::Newest);
        let begins = |verdict| matches!(verdict, Verdict::Impossible { begins: true, .. });
        assert!(!begins(phone.report(nowhere, SPELL_MS - 1_000)));
        assert!(begins(phone.report(nowhere, SPELL_MS + 1)));
        assert_eq!(phone.place(), place(0.1));
    }

    #[test]
    fn after_a_jump_the_second_position_there_is_believed() {
        let mut phone = Phone::new();
        phone.report(place(0.1), 0);
        let jump = |begins| Verdict::Impossible {
            why: Impossible::Jump,
            begins,
        };
        assert_eq!(phone.report(far(), 200), jump(true));
        // The same report again confirms nothing.
        assert_eq!(phone.send(far(), Some(phone.now)), jump(false));
        assert_eq!(phone.report(far(), 200), Verdict::Newest);
        assert_eq!(phone.place(), far());
        // A single one back there, between two good ones, is ignored.
        assert_eq!(phone.report(place(0.1), 200), jump(false));
        assert_eq!(phone.report(far(), 200), Verdict::Newest);
        assert_eq!(phone.report(place(0.1), 200), jump(false));
        assert_eq!(phone.report(far(), 200), Verdict::Newest);
    }

    #[test]
    fn with_enough_time_a_driver_gets_anywhere() {
        let mut phone = Phone::new();
        phone.report(place(0.1), 0);
        assert_eq!(phone.report(far(), 3_600_000), Verdict::Newest);
    }

    #[test]
    fn the_bounds_are_wide_enough_for_drivers_on_the_road() {
        for region in Region::ALL {
            for (x, y) in [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0)] {
                assert_eq!(Impossible::of(region.at(x, y)), None);
            }
        }
        // Half-way between San Jose and Oakland.
        let between = Location::new(-122.06, 37.57).unwrap();
        assert_eq!(Impossible::of(between), None);
        let los_angeles = Location::new(-118.24, 34.05).unwrap();
        assert_eq!(Impossible::of(los_angeles), Some(Impossible::Outside));
    }

    #[test]
    fn the_state_survives_json_and_the_state_of_earlier_versions_is_read() {
        let mut phone = Phone::new();
        for ahead in [0, -DAY] {
            phone.ahead = ahead;
            for location in [place(0.1), far(), place(0.2)] {
                phone.report(location, 100);
                let json = serde_json::to_string(&phone.track).unwrap();
                let read: Track = serde_json::from_str(&json).unwrap();
                assert_eq!(read, phone.track, "{json}");
            }
        }
        let earlier = format!(r#"{{"lon":-121.9,"lat":37.3,"timestamp":{NOW},"way":{{}}}}"#);
        let track: Track = serde_json::from_str(&earlier).unwrap();
        assert_eq!(track.newest().unwrap().timestamp, NOW);
        assert_eq!(track.heard_at(), Some(NOW));
        let nothing: Track = serde_json::from_str("{}").unwrap();
        assert_eq!(nothing, Track::default());
    }

    /// Reports as they are in the log: the phone's clock is right, and each report takes up to two seconds to arrive.
    fn log() -> impl Strategy<Value = Vec<(LocationUpdate, Received)>> {
        proptest::collection::vec((1..3_000_i64, 0..2_000_i64, 0.0..1.0_f64), 1..40).prop_map(
            |reports| {
                let mut at = NOW;
                let reports = reports.into_iter().zip(0..);
                reports
                    .map(|((after, took, x), offset)| {
                        at += after;
                        let update = LocationUpdate::at(place(x), at - took);
                        (update, Received { at, offset })
                    })
                    .collect()
            },
        )
    }

    proptest! {
        /// Reports overtake each other between Kafka and the twin. If the clocks are right, that makes no difference.
        #[test]
        fn in_whatever_order_reports_come_the_same_position_is_the_newest(
            (log, shuffled) in log().prop_flat_map(|log| (Just(log.clone()), Just(log).prop_shuffle()))
        ) {
            let after = |reports: &[(LocationUpdate, Received)]| {
                let mut track = Track::default();
                for (update, received) in reports {
                    let before = track.newest();
                    let verdict = track.take(*update, *received);
                    let now = track.newest().unwrap();
                    // Time never goes back.
                    assert_eq!(verdict == Verdict::Newest, before.is_none_or(|before| now.is_newer_than(&before)));
                }
                track
            };
            let (one, other) = (after(&log), after(&shuffled));
            prop_assert_eq!(one.newest().unwrap().timestamp, other.newest().unwrap().timestamp);
            prop_assert_eq!(one.heard_at(), other.heard_at());
            // Evaluated a second time, no report is newer.
            let mut again = one;
            for (update, received) in &log {
                prop_assert_eq!(again.take(*update, *received), Verdict::Stale);
            }
        }

        /// Whatever a phone has reported before: once it reports the same place again and again, by a clock that runs, it is
        /// believed within seconds.
        #[test]
        fn nobody_is_locked_out(
            past in proptest::collection::vec(
                (0..20_000_i64, prop_oneof![Just(0), -2 * DAY..2 * DAY, -70_000..70_000_i64], 0..4_usize, any::<bool>()), 0..40
            ),
            ahead in prop_oneof![Just(0), -2 * DAY..2 * DAY, -70_000..70_000_i64],
            interval in 100..10_000_i64,
        ) {
            let mut phone = Phone::new();
            let places = [place(0.0), far(), Location::new(0.0, 0.0).unwrap(), place(1.0)];
            for (ms, ahead, location, moves_the_record) in past {
                if moves_the_record {
                    phone.now += ahead;
                    phone.ahead = 0;
                } else {
                    phone.ahead = ahead;
                }
                phone.report(places[location], ms);
            }
            phone.ahead = ahead;
            let begin = phone.now;
            while phone.report(Region::Oakland.centre(), interval) != Verdict::Newest {
                prop_assert!(phone.now - begin <= 4 * (CLOCK_CONFIRMED_AFTER_MS + interval), "{:?}", phone.track);
            }
            prop_assert_eq!(phone.place(), Region::Oakland.centre());
            prop_assert_eq!(phone.track.heard_at(), Some(phone.now));
        }

        /// No time or offset is too large or too small.
        #[test]
        fn no_number_is_too_large(reports in proptest::collection::vec((any::<i64>(), any::<i64>(), any::<i64>()), 0..20)) {
            let mut track = Track::default();
            for (timestamp, at, offset) in reports {
                track.take(LocationUpdate::at(place(0.5), timestamp), Received { at, offset });
            }
        }
    }
}
