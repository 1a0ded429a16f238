//! Loading a scenario from its layers.

use crate::model::fidelity::Fidelity;
use crate::model::scenario::{Scenario, Uncertain};
use crate::problem::{Place, Problem, Problems};
use crate::scenario::builtin::builtin;
use crate::scenario::known;
use crate::scenario::layer::{Layer, Parsed};
use crate::scenario::merge::{self, Clash};
use crate::scenario::path::Step;
use crate::scenario::quantity::Wrong;
use crate::scenario::reader::{Draw, Reader, suggest};
use crate::scenario::scale;
use crate::scenario::schema;
use crate::scenario::series;
use crate::scenario::tree::{At, Node, Table, Value};
use crate::scenario::variants;
use crate::scenario::write;
use std::borrow::Cow;

/// Draws of uncertain inputs that may break a rule together before the middle is taken.
const MOST_ATTEMPTS: u64 = 1_000;

/// A policy or strategy as it is chosen for a run.
#[derive(Clone, Debug)]
pub enum PolicyArg {
    /// A built-in policy or strategy.
    Name(String),
    /// A strategy's or policy's file.
    File(Layer),
}

/// A loaded scenario: valid, with its merged text.
#[derive(Clone, Debug)]
pub struct Document {
    pub(super) root: Node,
    scenario: Scenario,
    fidelity: Fidelity,
    scale: f64,
}

impl Document {
    /// Loads a scenario: `base`, over it the strategy that `policy` (or else the file's own
    /// `[policy] use`) names, over that the overlays in order. `policy` replaces the scenario's
    /// whole `[policy]`, whose knobs were meant for its own policy.
    ///
    /// # Errors
    ///
    /// All mistakes of all layers, in the order of their places; syntax errors alone.
    pub fn load(
        name: &str,
        base: Layer,
        policy: Option<PolicyArg>,
        overlays: Vec<Layer>,
    ) -> Result<Document, Problems> {
        Document::load_variant(name, base, None, policy, overlays)
    }

    /// Loads a variant of a scenario: the same, with what the `[[variant]]` of this name in its file
    /// holds laid over the strategy and under the overlays; `None` is the scenario as it stands.
    ///
    /// # Errors
    ///
    /// As [`Document::load`], and if the file has no such variant.
    pub fn load_variant(
        name: &str,
        base: Layer,
        variant: Option<&str>,
        policy: Option<PolicyArg>,
        overlays: Vec<Layer>,
    ) -> Result<Document, Problems> {
        let mut stack = Stack::default();
        let result = stack.merge(base, variant, policy, overlays);
        let root = match result {
            Ok(root) if stack.clashes.is_empty() && stack.syntax.is_empty() => root,
            Ok(root) if stack.syntax.is_empty() => {
                // What could be merged is read too, so that all mistakes come at once.
                let (_, mut clashes, _) = read(&root, name, Draw::Middle);
                stack.clashes.append(&mut clashes);
                return Err(stack.problems());
            }
            _ => return Err(stack.problems()),
        };
        Document::of(root, name).map_err(|clashes| {
            stack.clashes = clashes;
            stack.problems()
        })
    }

    /// What a merged tree says, uncertain inputs at their middle and at both ends.
    pub(super) fn of(root: Node, name: &str) -> Result<Document, Vec<Clash>> {
        let (scenario, mut clashes, uncertain) = read(&root, name, Draw::Middle);
        if clashes.is_empty() && !uncertain.is_empty() {
            for end in [Draw::Low, Draw::High] {
                clashes.append(&mut read(&root, name, end).1);
            }
        }
        match clashes.is_empty() {
            true => Ok(Document {
                root,
                scenario,
                fidelity: Fidelity::Cohort,
                scale: 1.0,
            }),
            false => Err(clashes),
        }
    }

    /// The same, to be computed in a fidelity and shrunk to so much of itself (1: nothing).
    pub fn computed(mut self, fidelity: Fidelity, scale: f64) -> Document {
        (self.fidelity, self.scale) = (fidelity, scale);
        let (mut scenario, ..) = read(&self.root, &self.scenario.name, Draw::Middle);
        self.adapt(&mut scenario);
        self.scenario = scenario;
        self
    }

    fn adapt(&self, scenario: &mut Scenario) {
        scenario.fidelity = self.fidelity;
        scale::shrink(scenario, self.scale);
    }

    /// The scenario, uncertain inputs at their middle.
    pub fn scenario(&self) -> &Scenario {
        &self.scenario
    }

    /// The scenario of a replication: its uncertain inputs are drawn, each uniformly and
    /// independently. Draws that break a rule together (an announcement before the start, say) are
    /// drawn anew.
    pub fn drawn(&self, seed: u64, replication: u64) -> Cow<'_, Scenario> {
        if self.scenario.uncertain.is_empty() {
            return Cow::Borrowed(&self.scenario);
        }
        for attempt in 0..MOST_ATTEMPTS {
            let draw = Draw::Of {
                seed,
                replication,
                attempt,
            };
            let (mut scenario, clashes, _) = read(&self.root, &self.scenario.name, draw);
            if clashes.is_empty() {
                self.adapt(&mut scenario);
                return Cow::Owned(scenario);
            }
        }
        Cow::Owned(self.scenario.clone())
    }

    /// The keys that the file's tables may have, whether they hold them or not: `horizon`,
    /// `service[].calls[].timeout`. Those of a table that the file does not have are told only where
    /// the table has defaults.
    pub fn keys(&self) -> Vec<String> {
        let reader = Reader::of_keys();
        schema::read(&reader, &self.root, &self.scenario.name);
        reader.keys()
    }

    /// The merged file. Loaded on its own it is the same scenario.
    pub fn toml(&self) -> String {
        write::file(self.root.table().expect("a file is a table"))
    }
}

fn read(root: &Node, name: &str, draw: Draw) -> (Scenario, Vec<Clash>, Vec<Uncertain>) {
    let reader = Reader::new(draw);
    let mut scenario = schema::read(&reader, root, name);
    let (clashes, mut inputs, mut uncertain) = reader.finish();
    inputs.sort_by(|a, b| a.path.cmp(&b.path));
    uncertain.sort_by(|a, b| a.path.cmp(&b.path));
    scenario.inputs = inputs;
    scenario.uncertain = uncertain.clone();
    (scenario, clashes, uncertain)
}

/// The layers met so far, and their mistakes.
#[derive(Default)]
struct Stack {
    layers: Vec<Layer>,
    syntax: Vec<Problem>,
    clashes: Vec<Clash>,
}

impl Stack {
    /// Parses a layer; `None` where it has syntax errors, which are kept.
    fn parse(&mut self, layer: Layer) -> Option<Parsed> {
        let parsed = layer.parse(self.layers.len());
        self.layers.push(layer);
        match parsed {
            Ok(parsed) => Some(parsed),
            Err(mut problems) => {
                self.syntax.append(&mut problems);
                None
            }
        }
    }

    fn file(&mut self, layer: Layer) -> Option<Node> {
        match self.parse(layer)? {
            Parsed::File(node) => Some(node),
            Parsed::Set(..) => unreachable!("an assignment is an overlay"),
        }
    }

    /// Merges all layers; an error where one cannot be parsed.
    fn merge(
        &mut self,
        base: Layer,
        variant: Option<&str>,
        policy: Option<PolicyArg>,
        overlays: Vec<Layer>,
    ) -> Result<Node, ()> {
        let mut root = self.file(base);
        let own = root
            .as_mut()
            .and_then(|root| self.own_variant(root, variant));
        let parsed: Vec<Option<Parsed>> = overlays.into_iter().map(|l| self.parse(l)).collect();
        let parsed = own.map(Parsed::File).map(Some).into_iter().chain(parsed);
        let mut overlays: Option<Vec<Parsed>> = parsed.collect();
        if let Some(overlays) = &mut overlays {
            overlays.retain_mut(|over| variants::forbid(over, &mut self.clashes));
        }
        let overlaid = overlays.as_mut().and_then(take_strategies);
        let policy = overlaid.map(PolicyArg::Name).or(policy);
        let given = policy.is_some();
        let strategy = policy.and_then(|policy| self.choose(policy));
        let (Some(mut root), Some(mut overlays)) = (root, overlays) else {
            return Err(());
        };
        if let Some(top) = root.table_mut().filter(|_| given) {
            top.remove("policy");
        }
        if let Some(over) = strategy.or_else(|| self.own_strategy(&mut root)) {
            let mut over = Parsed::File(over);
            variants::forbid(&mut over, &mut self.clashes);
            overlays.insert(0, over);
        }
        for overlay in overlays {
            match overlay {
                Parsed::File(over) => merge::overlay(&mut root, over, &mut self.clashes),
                Parsed::Set(steps, value) => {
                    merge::assign(&mut root, &steps, &value, &mut self.clashes);
                }
            }
        }
        series::inline(&mut root, &mut self.clashes);
        if let Some(top) = root.table_mut() {
            for key in ["device", "service", "request"] {
                if top.get(key).is_none()
                    && let Some(node) = merge::implied(key, top)
                {
                    top.insert(key, node.at, node);
                }
            }
        }
        Ok(root)
    }

    /// Takes the file's own variants out of it; what the one of this name lays over it.
    fn own_variant(&mut self, root: &mut Node, variant: Option<&str>) -> Option<Node> {
        let own = variants::take(root, &mut self.clashes);
        let name = variant?;
        let names: Vec<String> = own.iter().map(|own| own.name.clone()).collect();
        let found = own.into_iter().find(|own| own.name == name);
        if found.is_none() {
            let wrong = Wrong::new(
                format!("there is no variant {name:.60?}"),
                suggest(name, names.iter().map(String::as_str)),
            );
            self.clashes
                .push((root.at, variants::KEY.to_string(), wrong));
        }
        found.map(|own| own.with)
    }

    /// The overlay that a chosen policy or strategy stands for.
    fn choose(&mut self, policy: PolicyArg) -> Option<Node> {
        let name = match policy {
            PolicyArg::File(layer) => return self.policy_file(layer),
            PolicyArg::Name(name) => name,
        };
        let layer = self.layers.len();
        let at = At { layer, offset: 0 };
        if known::policy_names().contains(&name.as_str()) {
            self.layers.push(Layer::set(&name).called("--policy"));
            let table = |key: &str, node: Node| {
                let mut table = Table::default();
                table.insert(key, at, node);
                Node::plain(Value::Table(table), at)
            };
            let name = Node::plain(Value::Text(name), at);
            return Some(table("policy", table("use", name)));
        }
        if is_strategy(&name) {
            return self.file(Layer::file(&name, builtin(&name)?, None));
        }
        self.layers.push(Layer::set(&name).called("--policy"));
        self.clashes
            .push((at, String::new(), unknown_policy(&name)));
        None
    }

    /// A policy's or strategy's file, which must say which policy it uses.
    fn policy_file(&mut self, layer: Layer) -> Option<Node> {
        let node = self.file(layer)?;
        let policy = node.table().and_then(|t| t.get("policy"));
        if policy
            .and_then(Node::table)
            .and_then(|t| t.get("use"))
            .is_none()
        {
            let wrong = Wrong::new(
                "is missing: the file does not say which policy it is",
                "write [policy] with use = \"…\" and its knobs",
            );
            self.clashes
                .push((node.at, "policy.use".to_string(), wrong));
        }
        Some(node)
    }

    /// The strategy that the scenario itself names. The strategy's `use` then takes its place.
    fn own_strategy(&mut self, root: &mut Node) -> Option<Node> {
        let policy = root.table_mut()?.get_mut("policy")?.table_mut()?;
        let name = policy.get("use")?.text()?.to_string();
        if !is_strategy(&name) {
            return None;
        }
        policy.remove("use");
        self.file(Layer::file(&name, builtin(&name)?, None))
    }

    /// All mistakes in the order of their places, each once.
    fn problems(self) -> Problems {
        if !self.syntax.is_empty() {
            return Problems(self.syntax);
        }
        let mut clashes = self.clashes;
        clashes.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
        clashes.dedup();
        let problem = |(at, path, wrong): Clash| Problem {
            place: self
                .layers
                .get(at.layer)
                .map_or_else(Place::default, |layer| layer.place(at)),
            path,
            message: wrong.message,
            hint: wrong.hint,
            unreadable: wrong.unreadable,
        };
        Problems(clashes.into_iter().map(problem).collect())
    }
}

/// Takes the strategies that overlays name in `[policy] use` out of them; the last one, which lies
/// under all overlays, is the result.
fn take_strategies(overlays: &mut Vec<Parsed>) -> Option<String> {
    let mut last = None;
    overlays.retain_mut(|overlay| match overlay {
        Parsed::Set(steps, value) => {
            let [Step::Key(section), Step::Key(key)] = &steps[..] else {
                return true;
            };
            let name = value.text().filter(|name| is_strategy(name));
            match (section.as_str(), key.as_str(), name) {
                ("policy", "use", Some(name)) => {
                    last = Some(name.to_string());
                    false
                }
                _ => true,
            }
        }
        Parsed::File(node) => {
            let policy = node.table_mut().and_then(|t| t.get_mut("policy"));
            if let Some(policy) = policy.and_then(Node::table_mut)
                && let Some(name) = policy.get("use").and_then(Node::text)
                && is_strategy(name)
            {
                last = Some(name.to_string());
                policy.remove("use");
            }
            true
        }
    });
    last
}

fn is_strategy(name: &str) -> bool {
    known::strategy_names().any(|strategy| strategy == name)
}

fn unknown_policy(name: &str) -> Wrong {
    let mut names = known::policy_names();
    names.extend(known::strategy_names());
    Wrong::new(
        format!("there is no policy or strategy {name:.60?}"),
        suggest(name, names.into_iter()),
    )
}
