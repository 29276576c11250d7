//! The composition root: providers, configuration, variables and state of one command, put together.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use sgp_aws::AwsProvider;
use sgp_contract::{Clock, Provider, StateStore, StoreError};
use sgp_engine::{EventSink, Interrupt, Registry, Session};
use sgp_kubernetes::KubernetesProvider;
use sgp_lang::{Impure, Inputs, load::Loaded, source::WithExtra};
use sgp_model::{Block, Diagnostic, Diagnostics, Mode, SourceMap, plan::PlanMode};
use sgp_state::{AbortAt, Access, FaultyStore, SledStore};
use tokio::sync::watch;

use crate::{
    args::VarArg,
    clock::SystemClock,
    files::{RunFiles, files},
    render::{progress::Progress, state_json::Facts},
    ui::{Ui, stdout_is_terminal},
    vars,
};

/// How long a wait for the lock lasts before the person's Ctrl-C is looked at.
const SPELL: Duration = Duration::from_millis(500);

/// The version of the tool.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What every command needs: who listens, which types there are, files and time.
pub struct Room {
    /// Output.
    pub ui: Ui,
    /// Providers.
    pub registry: Arc<Registry>,
    /// Files and bundled modules.
    pub files: Arc<RunFiles>,
    /// Time.
    pub clock: Arc<SystemClock>,
    /// Ctrl-C, once [`Room::listen`] was called.
    interrupt: watch::Receiver<Interrupt>,
}

/// The configuration and the values of its variables.
pub struct Configured {
    /// The configuration.
    pub config: Arc<sgp_lang::Config>,
    /// Variables and paths.
    pub inputs: Inputs,
    /// Names of the variables that flags gave.
    pub from_flags: Vec<String>,
}

impl Room {
    /// Everything but configuration and state.
    pub fn new(ui: Ui) -> Self {
        let (_, interrupt) = watch::channel(Interrupt::None);
        Self { ui, registry: registry(), files: Arc::new(files()), clock: Arc::default(), interrupt }
    }

    /// Handles Ctrl-C from now on.
    pub fn listen(&mut self) {
        self.interrupt = crate::interrupt::listen(&self.ui);
    }

    /// Ctrl-C, as it is now.
    pub fn interrupt(&self) -> watch::Receiver<Interrupt> {
        self.interrupt.clone()
    }

    /// Reads the configuration in the working directory; its texts are known to diagnostics from now on.
    pub fn load(&self) -> Loaded {
        let loaded = sgp_lang::load::load(".", &*self.files);
        self.ui.set_sources(loaded.config.sources.clone());
        loaded
    }

    /// Reads the configuration, which must be there and sound, and the values of its variables; with `input` a person at
    /// the terminal is asked for those that have none. Warnings are shown.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn configured(&self, args: &[VarArg], input: bool) -> Result<Configured, Diagnostics> {
        let loaded = self.load();
        loaded.require_files()?;
        self.settled(loaded, args, input)
    }

    /// The same for a kind of run: to destroy everything takes no configuration.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn configured_for(&self, mode: PlanMode, args: &[VarArg], input: bool) -> Result<Configured, Diagnostics> {
        if mode != PlanMode::Destroy {
            return self.configured(args, input);
        }
        let loaded = self.load();
        // In the wrong folder there would be nothing to destroy, and saying so would look like success.
        if loaded.is_empty && !data_dir().exists() {
            loaded.require_files()?;
        }
        self.settled(loaded, args, input)
    }

    /// The same with a file that was just written; where it lies elsewhere it counts as one of the folder.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn configured_with(
        &self,
        path: &Path,
        text: String,
        args: &[VarArg],
        input: bool,
    ) -> Result<Configured, Diagnostics> {
        let loaded = self.load();
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let is_known = loaded.config.sources.text(&name).is_some();
        let is_here = path.parent().is_none_or(|it| it.as_os_str().is_empty() || it == Path::new("."));
        if is_known && is_here {
            return self.settled(loaded, args, input);
        }
        let name =
            if is_known || !sgp_lang::load::is_config_file(&name) { format!("sgp-generated-{name}.tf") } else { name };
        let files = WithExtra { files: &*self.files, name, content: text.into_bytes() };
        let loaded = sgp_lang::load::load(".", &files);
        self.ui.set_sources(loaded.config.sources.clone());
        self.settled(loaded, args, input)
    }

    fn settled(&self, loaded: Loaded, args: &[VarArg], input: bool) -> Result<Configured, Diagnostics> {
        let mut diagnostics = loaded.diagnostics;
        let (mut inputs, mut from_flags) = self.inputs(&loaded.config, args, &mut diagnostics);
        if diagnostics.has_errors() {
            return Err(diagnostics);
        }
        self.ui.diagnostics(&diagnostics);
        if !self.ui.json && vars::ask::may_ask(input) {
            from_flags.extend(vars::ask::missing(&loaded.config, &mut inputs.variables, &self.ui.output)?);
        }
        Ok(Configured { config: loaded.config, inputs, from_flags })
    }

    /// The values of variables from flags, files and environment, and the names of those that flags gave.
    pub fn inputs(
        &self,
        config: &sgp_lang::Config,
        args: &[VarArg],
        diagnostics: &mut Diagnostics,
    ) -> (Inputs, Vec<String>) {
        let gathered = vars::gather(config, args, &*self.files, std::env::vars());
        diagnostics.extend(gathered.diagnostics);
        let mut sources: SourceMap = config.sources.clone();
        for (name, text) in gathered.sources {
            sources.insert(name, text);
        }
        self.ui.set_sources(sources);
        let inputs = Inputs {
            variables: gathered.variables,
            workspace: "default".into(),
            cwd: sgp_lang::Files::cwd(&*self.files),
            timestamp: self.clock.now(),
            impure: Some(Impure { timestamp: self.clock.now(), random: Arc::new(fill) }),
            validating: false,
        };
        (inputs, gathered.from_flags)
    }

    /// Opens the state.
    ///
    /// # Errors
    /// When it is locked, damaged or out of reach; says what to do.
    pub fn store(&self, operation: &str, access: Access, timeout: Duration) -> Result<Arc<SledStore>, Diagnostics> {
        let dir = data_dir();
        let store = self.opened(&dir, operation, access, timeout)?;
        if let Some(holder) = store.recovered_from() {
            let text = format!(
                "{} (process {}) ended in the middle of `{}` without giving its lock back. The lock was taken over, and what became of its last calls is looked up.",
                holder.who, holder.pid, holder.operation
            );
            self.ui.diagnostics(&Diagnostic::warning("The last run did not end well", text).into());
        }
        Ok(Arc::new(store))
    }

    /// Opens the store, waiting for the lock in short spells: whoever waits is told for whom, and may break off.
    fn opened(&self, dir: &Path, operation: &str, access: Access, timeout: Duration) -> Result<SledStore, Diagnostics> {
        let deadline = Instant::now() + timeout;
        let mut told = false;
        loop {
            let error = match SledStore::open(dir, operation, access, timeout.min(SPELL)) {
                Ok(store) => return Ok(store),
                Err(error) => error,
            };
            let StoreError::Locked(holder) = &error else { return Err(store_error(&error, dir)) };
            if *self.interrupt.borrow() != Interrupt::None {
                return Err(Diagnostic::error("Interrupted", "The state stayed locked. Nothing was changed.").into());
            }
            if Instant::now() >= deadline {
                return Err(store_error(&error, dir));
            }
            if !std::mem::replace(&mut told, true) {
                let text = format!(
                    "Waiting for the lock on the state: {} runs `sgp {}` (process {}).",
                    holder.who, holder.operation, holder.pid
                );
                if self.ui.json { self.ui.json_lines().log(&text) } else { self.ui.say(&text) }
            }
        }
    }

    /// Everything that the engine needs.
    pub fn session(&self, configured: &Configured, store: Arc<SledStore>) -> Session {
        Session {
            registry: self.registry.clone(),
            config: configured.config.clone(),
            inputs: configured.inputs.clone(),
            files: self.files.clone(),
            store: deadly(store),
            clock: self.clock.clone(),
            events: self.events(),
            interrupt: self.interrupt.clone(),
            version: VERSION.to_owned(),
        }
    }

    /// A session for commands that only look at the state: a configuration is taken when there is one.
    ///
    /// # Errors
    /// When the state is out of reach.
    pub fn looking(&self, operation: &str, access: Access, timeout: Duration) -> Result<Session, Diagnostics> {
        let loaded = self.load();
        let configured = Configured { config: loaded.config, inputs: Inputs::default(), from_flags: Vec::new() };
        Ok(self.session(&configured, self.store(operation, access, timeout)?))
    }

    fn events(&self) -> Arc<dyn EventSink> {
        if self.ui.json {
            return Arc::new(self.ui.json_lines());
        }
        // Moving lines would be noise in a log.
        let live = stdout_is_terminal() && std::env::var_os("TF_IN_AUTOMATION").is_none();
        Arc::new(Progress::new(self.ui.paint, self.ui.output.clone(), self.ui.sources(), live))
    }

    /// The schema of a type, for rendering.
    pub fn schema(&self, mode: Mode, type_name: &str) -> Option<&'static Block> {
        sgp_lang::Schemas::resource(&*self.registry, mode, type_name).map(|s| &s.block)
    }

    /// Lends what JSON forms need to know.
    pub fn with_facts<T>(&self, then: impl FnOnce(Facts<'_>) -> T) -> T {
        let schemas = |mode: Mode, name: &str| self.schema(mode, name);
        let schema_version = |mode: Mode, name: &str| {
            sgp_lang::Schemas::resource(&*self.registry, mode, name).map_or(0, |schema| schema.version)
        };
        let source = |name: &str| source_of(&self.registry, name);
        then(Facts { schemas: &schemas, schema_version: &schema_version, source: &source, version: VERSION })
    }
}

/// The store, which ends the process at a write when `SGP_TEST_ABORT_AT_WRITE` says so: `before:3`, `after:3`. The kill
/// tests walk over every write of a run with it.
fn deadly(store: Arc<SledStore>) -> Arc<dyn StateStore> {
    let at = std::env::var("SGP_TEST_ABORT_AT_WRITE").ok().and_then(|text| text.parse::<AbortAt>().ok());
    match at {
        Some(at) => Arc::new(FaultyStore::new(store, Some(at))),
        None => store,
    }
}

/// Fills bytes with randomness.
fn fill(bytes: &mut [u8]) {
    for chunk in bytes.chunks_mut(14) {
        let mut random = uuid::Uuid::new_v4().into_bytes().to_vec();
        // These two bytes of a UUID hold its version and variant.
        random.remove(8);
        random.remove(6);
        chunk.copy_from_slice(&random[..chunk.len()]);
    }
}

/// The source address of a provider.
pub fn source_of(registry: &Registry, name: &str) -> String {
    registry.provider(name).map_or_else(|| format!("registry.terraform.io/hashicorp/{name}"), |p| p.source().to_owned())
}

/// All providers of the binary. Clusters that are named by `cluster_name` are reached with the client of `provider "aws"`.
pub fn registry() -> Arc<Registry> {
    let aws = AwsProvider::default();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::default());
    let kubernetes = KubernetesProvider::new(aws.eks(), clock.clone());
    let large: [Arc<dyn Provider>; 2] = [Arc::new(aws), Arc::new(kubernetes)];
    Arc::new(Registry::new(large.into_iter().chain(sgp_utility::providers(&clock)).collect()))
}

/// Where the state lives: `.sgp`, or the folder that `SGP_DATA_DIR` names.
pub fn data_dir() -> PathBuf {
    std::env::var_os("SGP_DATA_DIR").filter(|d| !d.is_empty()).map_or_else(|| PathBuf::from(".sgp"), PathBuf::from)
}

/// What a store's error means to a person.
pub fn store_error(error: &StoreError, dir: &Path) -> Diagnostics {
    let diagnostic = match error {
        StoreError::Locked(holder) => {
            let since = jiff::Timestamp::from_second(holder.since)
                .map_or_else(|_| "an unknown time".to_owned(), |t| t.to_string());
            Diagnostic::error(
                "The state is locked",
                format!(
                    "{} runs `sgp {}` (process {}, version {}) since {since} and holds the lock on the state.\n\nWait for it to end, or give this command -lock-timeout=5m to wait. The lock ends with its process, however that ends. Lock id: {}",
                    holder.who, holder.operation, holder.pid, holder.version, holder.id
                ),
            )
        }
        StoreError::Conflict(text) => Diagnostic::error("The state refuses the change", format!("{}.", sentence(text))),
        StoreError::Damaged(_) => Diagnostic::error(
            "The state cannot be read",
            format!("{}. It lies in {}. Nothing was changed.", sentence(&error.to_string()), dir.display()),
        ),
        other => Diagnostic::error("The state is out of reach", format!("{}.", sentence(&other.to_string()))),
    };
    diagnostic.into()
}

/// The text with a capital at its start.
pub fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
