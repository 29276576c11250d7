//! What the language's own blocks hold: which properties are arguments and how they are read, which are blocks and with how
//! many labels. It decides only how JSON is read; what may stand where is told by whoever reads the body.

use super::expr::Mode::{self, Fixed, Full, Static};

/// The content of a body.
pub(super) struct Shape {
    /// Arguments that are not read as templates, or that the rest would take for something else.
    pub(super) attrs: &'static [(&'static str, Mode)],
    /// Nested blocks: type, number of labels, content.
    pub(super) blocks: &'static [(&'static str, usize, &'static Shape)],
    /// All other properties.
    pub(super) rest: Rest,
}

/// What properties are that a shape does not name.
#[derive(Clone, Copy)]
pub(super) enum Rest {
    Attrs(Mode),
    /// Blocks without labels.
    Blocks,
    /// As the schema of a type says, which is not known yet.
    Schema,
}

const fn plain(
    attrs: &'static [(&'static str, Mode)],
    blocks: &'static [(&'static str, usize, &'static Shape)],
) -> Shape {
    Shape { attrs, blocks, rest: Rest::Attrs(Full) }
}

pub(super) static ANY: Shape = plain(&[], &[]);
static FIXED: Shape = Shape { attrs: &[], blocks: &[], rest: Rest::Attrs(Fixed) };

/// A whole file.
pub(super) static FILE: Shape = Shape {
    attrs: &[],
    blocks: &[
        ("resource", 2, &RESOURCE),
        ("data", 2, &RESOURCE),
        ("ephemeral", 2, &RESOURCE),
        ("variable", 1, &VARIABLE),
        ("locals", 0, &ANY),
        ("output", 1, &OUTPUT),
        ("module", 1, &MODULE),
        ("provider", 1, &PROVIDER),
        ("terraform", 0, &TERRAFORM),
        ("check", 1, &CHECK_BLOCK),
        ("import", 0, &IMPORT),
        ("moved", 0, &MOVED),
        ("removed", 0, &REMOVED),
    ],
    rest: Rest::Blocks,
};

static RESOURCE: Shape = Shape {
    attrs: &[("count", Full), ("for_each", Full), ("depends_on", Static), ("provider", Static)],
    blocks: &[("lifecycle", 0, &LIFECYCLE), ("provisioner", 1, &ANY), ("connection", 0, &ANY)],
    rest: Rest::Schema,
};

static LIFECYCLE: Shape = plain(
    &[
        ("create_before_destroy", Fixed),
        ("prevent_destroy", Fixed),
        ("destroy", Fixed),
        ("ignore_changes", Static),
        ("replace_triggered_by", Static),
    ],
    &[("precondition", 0, &CHECK), ("postcondition", 0, &CHECK), ("action_trigger", 0, &ANY)],
);

/// A condition with its message.
static CHECK: Shape = plain(&[], &[]);
static CHECK_BLOCK: Shape = plain(&[], &[("data", 2, &RESOURCE), ("assert", 0, &CHECK)]);

static VARIABLE: Shape =
    Shape { attrs: &[("type", Static)], blocks: &[("validation", 0, &CHECK)], rest: Rest::Attrs(Fixed) };

static OUTPUT: Shape = plain(
    &[
        ("depends_on", Static),
        ("type", Static),
        ("description", Fixed),
        ("sensitive", Fixed),
        ("ephemeral", Fixed),
        ("deprecated", Fixed),
    ],
    &[("precondition", 0, &CHECK)],
);

static MODULE: Shape = plain(
    &[("source", Fixed), ("version", Fixed), ("depends_on", Static), ("providers", Static)],
    &[("lifecycle", 0, &LIFECYCLE)],
);

static PROVIDER: Shape = Shape {
    attrs: &[
        ("alias", Fixed),
        ("version", Fixed),
        ("count", Full),
        ("for_each", Full),
        ("depends_on", Full),
        ("source", Full),
    ],
    blocks: &[],
    rest: Rest::Schema,
};

static TERRAFORM: Shape = Shape {
    attrs: &[("required_version", Fixed), ("experiments", Static)],
    blocks: &[
        ("required_providers", 0, &FIXED),
        ("provider_meta", 1, &ANY),
        ("backend", 1, &ANY),
        ("cloud", 0, &ANY),
        ("state_store", 1, &ANY),
        ("encryption", 0, &ANY),
    ],
    rest: Rest::Attrs(Full),
};

static IMPORT: Shape = plain(&[("to", Static), ("provider", Static)], &[]);
static MOVED: Shape = plain(&[("from", Static), ("to", Static)], &[]);
static REMOVED: Shape =
    plain(&[("from", Static)], &[("lifecycle", 0, &LIFECYCLE), ("provisioner", 1, &ANY), ("connection", 0, &ANY)]);

/// A whole test file.
pub(super) static TEST_FILE: Shape = Shape {
    attrs: &[],
    blocks: &[
        ("run", 1, &RUN),
        ("variables", 0, &ANY),
        ("provider", 1, &PROVIDER),
        ("mock_provider", 1, &MOCK_PROVIDER),
        ("override_resource", 0, &OVERRIDE),
        ("override_data", 0, &OVERRIDE),
        ("override_module", 0, &OVERRIDE),
        ("test", 0, &FIXED),
    ],
    rest: Rest::Blocks,
};

/// A whole file of mocks.
pub(super) static MOCK_FILE: Shape = Shape { attrs: &[], blocks: MOCKS, rest: Rest::Blocks };

const MOCKS: &[(&str, usize, &Shape)] = &[
    ("mock_resource", 1, &MOCK_TYPE),
    ("mock_data", 1, &MOCK_TYPE),
    ("override_resource", 0, &OVERRIDE),
    ("override_data", 0, &OVERRIDE),
];

static RUN: Shape = plain(
    &[
        ("command", Static),
        ("providers", Static),
        ("expect_failures", Static),
        ("state_key", Fixed),
        ("parallel", Fixed),
        ("skip_cleanup", Fixed),
    ],
    &[
        ("variables", 0, &ANY),
        ("module", 0, &FIXED),
        ("plan_options", 0, &PLAN_OPTIONS),
        ("assert", 0, &CHECK),
        ("override_resource", 0, &OVERRIDE),
        ("override_data", 0, &OVERRIDE),
        ("override_module", 0, &OVERRIDE),
        ("backend", 1, &ANY),
    ],
);

static PLAN_OPTIONS: Shape =
    plain(&[("mode", Static), ("refresh", Fixed), ("replace", Static), ("target", Static)], &[]);

static MOCK_PROVIDER: Shape = plain(&[("alias", Fixed), ("source", Fixed), ("override_during", Static)], MOCKS);

static MOCK_TYPE: Shape = plain(&[("override_during", Static)], &[]);
static OVERRIDE: Shape = plain(&[("target", Static), ("override_during", Static)], &[]);
