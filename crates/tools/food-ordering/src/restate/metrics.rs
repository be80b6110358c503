//! Parses metrics in the Prometheus text format.

/// One sample: `name{label="value",…} value`.
#[derive(Debug, PartialEq)]
struct Sample<'a> {
    name: &'a str,
    labels: &'a str,
    value: f64,
}

fn parse(line: &str) -> Option<Sample<'_>> {
    if line.starts_with('#') {
        return None;
    }
    // Quoted label values may contain spaces and braces, so the last brace ends the labels.
    let (series, rest) = match line.rfind('}') {
        Some(end) => line.split_at(end + 1),
        None => line.split_at(line.find(' ')?),
    };
    let (name, labels) = match series.split_once('{') {
        Some((name, labels)) => (name, labels.strip_suffix('}')?),
        None => (series, ""),
    };
    // A timestamp may follow the value.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample {
        name,
        labels,
        value,
    })
}

/// The values of all series of `name` that have every one of `labels` (written `key="value"`).
pub fn values<'a>(
    text: &'a str,
    name: &'a str,
    labels: &'a [&'a str],
) -> impl Iterator<Item = f64> {
    series(text, name)
        .filter(|(of, _)| labels.iter().all(|label| of.0.contains(label)))
        .map(|(_, value)| value)
}

/// The labels and values of all series of `name`.
pub fn series<'a>(text: &'a str, name: &'a str) -> impl Iterator<Item = (Labels<'a>, f64)> {
    text.lines()
        .filter_map(parse)
        .filter(move |sample| sample.name == name)
        .map(|sample| (Labels(sample.labels), sample.value))
}

/// The labels of a series.
#[derive(Debug, Clone, Copy)]
pub struct Labels<'a>(&'a str);

impl<'a> Labels<'a> {
    /// The value of a label; it must not contain a quote.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&'a str> {
        let value = |label: &'a str| {
            label
                .strip_prefix(name)?
                .strip_prefix("=\"")?
                .strip_suffix('"')
        };
        self.0.split(',').find_map(value)
    }
}

/// The sum of these [`values`].
#[must_use]
pub fn sum(text: &str, name: &str, labels: &[&str]) -> f64 {
    values(text, name, labels).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"# HELP tasks_total Tasks.
# TYPE tasks_total counter
tasks_total{status="started",partition_id="0"} 12
tasks_total{status="started",partition_id="1"} 30 1700000000000
tasks_total{status="failed",partition_id="1"} 5
tasks_total_other{status="started"} 1000
odd{text="a } b",status="started"} 1.5e3
plain 7
broken{
"#;

    #[test]
    fn a_series_has_labels() {
        let (labels, value) = series(TEXT, "tasks_total").nth(1).unwrap();
        assert_eq!((labels.get("partition_id"), value), (Some("1"), 30.0));
        assert_eq!(labels.get("partition"), None);
    }

    #[test]
    fn a_sum_covers_the_series_that_have_all_labels() {
        for (name, labels, expected) in [
            ("tasks_total", &[r#"status="started""#][..], 42.0),
            ("tasks_total", &[], 47.0),
            (
                "tasks_total",
                &[r#"status="started""#, r#"partition_id="1""#],
                30.0,
            ),
            ("odd", &[r#"status="started""#], 1500.0),
            ("plain", &[], 7.0),
            ("absent", &[], 0.0),
        ] {
            let found = sum(TEXT, name, labels);
            assert!(
                (found - expected).abs() < 1e-9,
                "{name} {labels:?}: {found}"
            );
        }
    }
}
