//! What `template check` reports: findings, the fit on each scan, and forecasts.

use std::fmt;

use serde::Serialize;

use super::{
    finding::{Finding, Severity},
    scan_check::ScanFit,
    simulate::Forecast,
};

/// Everything that the checks of one call found.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct CheckReport {
    /// Worst first, then in the order of the templates and their lines.
    pub findings: Vec<Finding>,
    /// One per page of the scans, in their order; empty without scans.
    pub pages: Vec<ScanFit>,
    /// One per simulated template.
    pub forecasts: Vec<Forecast>,
}

impl CheckReport {
    /// Puts the worst findings first.
    #[must_use]
    pub fn sorted(mut self) -> Self {
        self.findings.sort_by_key(|finding| finding.severity);
        self
    }
}

/// For people: findings with their remedies, then pages, then forecasts.
impl fmt::Display for CheckReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            writeln!(f, "{finding}")?;
        }
        if !self.pages.is_empty() {
            let width = self.pages.iter().map(|page| page.place().chars().count()).max().unwrap_or(0);
            writeln!(f, "\n{:width$}  {:>14}  {:>7}  {:>9}  form", "page", "residual", "support", "frames")?;
            for page in &self.pages {
                page.write_row(f, width)?;
            }
        }
        for forecast in &self.forecasts {
            write!(f, "\n{forecast}")?;
        }
        let count = |severity| self.findings.iter().filter(|finding| finding.severity == severity).count();
        let [faults, risks, advice] = [Severity::Fault, Severity::Risk, Severity::Advice].map(count);
        if !(self.findings.is_empty() && self.pages.is_empty() && self.forecasts.is_empty()) {
            writeln!(f)?;
        }
        writeln!(f, "{faults} faults, {risks} risks, {advice} pieces of advice")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn empty_report_displays_counts_only() {
        assert_eq!(CheckReport::default().to_string(), "0 faults, 0 risks, 0 pieces of advice\n");
    }
}
