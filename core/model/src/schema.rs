//! Schemas: what a resource type, data source or provider configuration accepts and answers.
//!
//! Written once for each type with the builder below; validation, planning, import, generated docs and rendering read it.

use std::{collections::BTreeMap, sync::Arc};

use crate::{Type, Value, types::Field};

/// A schema with everything that is known about a type.
#[derive(Clone, Debug)]
pub struct Schema {
    /// The type's name: `aws_security_group`.
    pub name: &'static str,
    /// One sentence: what it is.
    pub doc: &'static str,
    /// The version of the shape of stored attributes; raised with an upgrade function.
    pub version: u64,
    /// The content.
    pub block: Block,
    /// Arguments that Terraform's type of this name has and this one does not have yet: named in errors and listed in docs.
    pub unsupported: &'static [&'static str],
    /// Which operations `timeouts {}` may set, with the default in seconds; empty when there is no such block.
    pub timeouts: &'static [(&'static str, u64)],
    /// IAM actions that the type needs, for docs and for a least-privilege policy.
    pub iam_actions: &'static [&'static str],
    /// A minimal configuration that works.
    pub example: &'static str,
    /// The attribute that names the cluster this object lives in; when that cluster is replaced, so is the object.
    pub lives_in: Option<&'static str>,
}

/// Attributes and nested blocks.
#[derive(Clone, Debug, Default)]
pub struct Block {
    /// By name.
    pub attributes: BTreeMap<&'static str, Attribute>,
    /// By block type.
    pub blocks: BTreeMap<&'static str, NestedBlock>,
}

/// Who sets an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Presence {
    /// The configuration must.
    Required,
    /// The configuration may; otherwise it is null (or the default).
    Optional,
    /// The configuration may; otherwise the provider does.
    OptionalComputed,
    /// Only the provider does.
    Computed,
}

/// When two different texts mean the same, so that no change is planned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Semantics {
    /// Only equal values mean the same.
    Exact,
    /// JSON documents with equal content.
    Json,
    /// IAM policy documents: JSON in which a single string and a list of it are the same, and lists are sets.
    IamPolicy,
    /// YAML or JSON with equal content.
    Yaml,
    /// Upper and lower case mean the same.
    CaseInsensitive,
    /// Blocks of addresses: `10.0.7.0/16` is `10.0.0.0/16`, `2001:DB8::/32` is `2001:db8::/32`.
    Cidr,
}

/// One attribute.
#[derive(Clone, Debug)]
pub struct Attribute {
    /// Its type.
    pub ty: Type,
    /// Who sets it.
    pub presence: Presence,
    /// Redacted wherever a person or a log may look.
    pub sensitive: bool,
    /// A change replaces the object.
    pub force_new: bool,
    /// What an absent argument means, when it is not the provider who decides.
    pub default: Option<Value>,
    /// When two values mean the same.
    pub semantics: Semantics,
    /// For computed attributes: a change of one of these attributes makes it unknown; `["*"]` means any change.
    pub follows: &'static [&'static str],
    /// Never stored or compared: an argument that only steers the provider (`force_destroy`) still is; write-only is not.
    pub write_only: bool,
    /// Shape, unit and source, in a sentence.
    pub doc: &'static str,
    /// Why not to use it any more.
    pub deprecated: Option<&'static str>,
}

/// How a nested block repeats and what it becomes in the object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Nesting {
    /// At most one; an object or null.
    Single,
    /// Any number in order; a list of objects.
    List,
    /// Any number without order; a set of objects.
    Set,
    /// By label; a map of objects.
    Map,
}

/// A nested block.
#[derive(Clone, Debug)]
pub struct NestedBlock {
    /// How it repeats.
    pub nesting: Nesting,
    /// How many there must be.
    pub min: usize,
    /// How many there may be; 0 is any number.
    pub max: usize,
    /// Any change within replaces the object.
    pub force_new: bool,
    /// Without any such block the provider decides (Terraform's "attributes as blocks"); `name = []` says none.
    pub computed: bool,
    /// Its content.
    pub block: Block,
    /// What it is.
    pub doc: &'static str,
}

impl Schema {
    /// Starts a schema.
    pub fn new(name: &'static str, doc: &'static str) -> Self {
        Self {
            name,
            doc,
            version: 0,
            block: Block::default(),
            unsupported: &[],
            timeouts: &[],
            iam_actions: &[],
            example: "",
            lives_in: None,
        }
    }

    /// The version of recorded attributes: for a type of Terraform's providers theirs, so that state moves both ways.
    #[must_use]
    pub fn version(mut self, version: u64) -> Self {
        self.version = version;
        self
    }

    /// Adds an attribute.
    #[must_use]
    pub fn attr(mut self, name: &'static str, attribute: Attribute) -> Self {
        self.block.attributes.insert(name, attribute);
        self
    }

    /// Adds a nested block.
    #[must_use]
    pub fn block(mut self, name: &'static str, block: NestedBlock) -> Self {
        self.block.blocks.insert(name, block);
        self
    }

    /// Names what Terraform's type has beside.
    #[must_use]
    pub fn unsupported(mut self, names: &'static [&'static str]) -> Self {
        self.unsupported = names;
        self
    }

    /// Allows `timeouts {}`, with defaults in seconds.
    #[must_use]
    pub fn timeouts(mut self, defaults: &'static [(&'static str, u64)]) -> Self {
        self.timeouts = defaults;
        let block = defaults.iter().fold(Block::default(), |block, (operation, _)| {
            block.attr(operation, Attribute::string().optional().doc("A duration such as `30m` or `1h10m`."))
        });
        self.block.blocks.insert("timeouts", NestedBlock::single(block).doc("How long each operation may take."));
        self
    }

    /// Names the IAM actions that are needed.
    #[must_use]
    pub fn iam_actions(mut self, actions: &'static [&'static str]) -> Self {
        self.iam_actions = actions;
        self
    }

    /// Gives a minimal configuration.
    #[must_use]
    pub fn example(mut self, hcl: &'static str) -> Self {
        self.example = hcl;
        self
    }

    /// Names the attribute that holds the cluster's name.
    #[must_use]
    pub fn lives_in(mut self, attribute: &'static str) -> Self {
        self.lives_in = Some(attribute);
        self
    }

    /// The type of the whole object.
    pub fn ty(&self) -> Type {
        self.block.ty()
    }
}

impl Block {
    /// Adds an attribute.
    #[must_use]
    pub fn attr(mut self, name: &'static str, attribute: Attribute) -> Self {
        self.attributes.insert(name, attribute);
        self
    }

    /// Adds a nested block.
    #[must_use]
    pub fn block(mut self, name: &'static str, block: NestedBlock) -> Self {
        self.blocks.insert(name, block);
        self
    }

    /// The object type of this block.
    pub fn ty(&self) -> Type {
        let attributes = self.attributes.iter().map(|(k, a)| (Arc::from(*k), a.ty.clone()));
        let blocks = self.blocks.iter().map(|(k, b)| (Arc::from(*k), b.ty()));
        Type::Object(Arc::new(attributes.chain(blocks).map(|(k, ty)| (k, Field { ty, optional: false })).collect()))
    }

    /// Whether there is an attribute or block of this name.
    pub fn has(&self, name: &str) -> bool {
        self.attributes.contains_key(name) || self.blocks.contains_key(name)
    }

    /// The names of all attributes and blocks.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.attributes.keys().chain(self.blocks.keys()).copied()
    }

    /// The object in which every attribute is null and every block absent.
    pub fn empty(&self) -> Value {
        let attributes = self.attributes.iter().map(|(k, a)| (*k, Value::null(a.ty.clone())));
        let blocks = self.blocks.iter().map(|(k, b)| (*k, b.empty()));
        Value::object(attributes.chain(blocks))
    }
}

impl Attribute {
    /// An optional attribute of a type.
    pub fn of(ty: Type) -> Self {
        Self {
            ty,
            presence: Presence::Optional,
            sensitive: false,
            force_new: false,
            default: None,
            semantics: Semantics::Exact,
            follows: &[],
            write_only: false,
            doc: "",
            deprecated: None,
        }
    }

    /// A string.
    pub fn string() -> Self {
        Self::of(Type::String)
    }

    /// A bool.
    pub fn bool() -> Self {
        Self::of(Type::Bool)
    }

    /// A number.
    pub fn number() -> Self {
        Self::of(Type::Number)
    }

    /// A list of strings.
    pub fn strings() -> Self {
        Self::of(Type::list(Type::String))
    }

    /// A set of strings.
    pub fn string_set() -> Self {
        Self::of(Type::set(Type::String))
    }

    /// A map of strings.
    pub fn string_map() -> Self {
        Self::of(Type::map(Type::String))
    }

    /// The configuration must set it.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.presence = Presence::Required;
        self
    }

    /// The configuration may set it.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.presence = match self.presence {
            Presence::Computed => Presence::OptionalComputed,
            _ => Presence::Optional,
        };
        self
    }

    /// The provider sets it (when the configuration does not, after [`Self::optional`]).
    #[must_use]
    pub fn computed(mut self) -> Self {
        self.presence = Presence::Computed;
        self
    }

    /// The configuration may set it; otherwise the provider does.
    #[must_use]
    pub fn optional_computed(mut self) -> Self {
        self.presence = Presence::OptionalComputed;
        self
    }

    /// Redacted in output.
    #[must_use]
    pub fn sensitive(mut self) -> Self {
        self.sensitive = true;
        self
    }

    /// A change replaces the object.
    #[must_use]
    pub fn force_new(mut self) -> Self {
        self.force_new = true;
        self
    }

    /// What an absent argument means.
    #[must_use]
    pub fn default(mut self, value: impl Into<Value>) -> Self {
        self.default = Some(value.into());
        self
    }

    /// When two values mean the same.
    #[must_use]
    pub fn semantics(mut self, semantics: Semantics) -> Self {
        self.semantics = semantics;
        self
    }

    /// Which changes make a computed attribute unknown; `["*"]` is any.
    #[must_use]
    pub fn follows(mut self, attributes: &'static [&'static str]) -> Self {
        self.follows = attributes;
        self
    }

    /// Accepted and given to the provider, never stored.
    #[must_use]
    pub fn write_only(mut self) -> Self {
        self.write_only = true;
        self
    }

    /// What it is, in a sentence.
    #[must_use]
    pub fn doc(mut self, text: &'static str) -> Self {
        self.doc = text;
        self
    }

    /// Why not to use it any more.
    #[must_use]
    pub fn deprecated(mut self, text: &'static str) -> Self {
        self.deprecated = Some(text);
        self
    }

    /// Whether the configuration may set it.
    pub fn is_settable(&self) -> bool {
        self.presence != Presence::Computed
    }

    /// Whether the provider may decide it.
    pub fn is_computed(&self) -> bool {
        matches!(self.presence, Presence::Computed | Presence::OptionalComputed)
    }
}

impl NestedBlock {
    fn of(nesting: Nesting, max: usize, block: Block) -> Self {
        Self { nesting, min: 0, max, force_new: false, computed: false, block, doc: "" }
    }

    /// At most one; an object in the value.
    pub fn single(block: Block) -> Self {
        Self::of(Nesting::Single, 1, block)
    }

    /// At most one; a list of at most one object in the value, as most of Terraform's AWS types have it.
    pub fn list_of_one(block: Block) -> Self {
        Self::of(Nesting::List, 1, block)
    }

    /// Any number, in order.
    pub fn list(block: Block) -> Self {
        Self::of(Nesting::List, 0, block)
    }

    /// Any number, without order.
    pub fn set(block: Block) -> Self {
        Self::of(Nesting::Set, 0, block)
    }

    /// At least one.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.min = 1;
        self
    }

    /// At most so many.
    #[must_use]
    pub fn max(mut self, max: usize) -> Self {
        self.max = max;
        self
    }

    /// Any change within replaces the object.
    #[must_use]
    pub fn force_new(mut self) -> Self {
        self.force_new = true;
        self
    }

    /// Without such a block the provider decides.
    #[must_use]
    pub fn computed(mut self) -> Self {
        self.computed = true;
        self
    }

    /// What it is, in a sentence.
    #[must_use]
    pub fn doc(mut self, text: &'static str) -> Self {
        self.doc = text;
        self
    }

    /// The type of the value that holds these blocks.
    pub fn ty(&self) -> Type {
        let inner = self.block.ty();
        match self.nesting {
            Nesting::Single => inner,
            Nesting::List => Type::list(inner),
            Nesting::Set => Type::set(inner),
            Nesting::Map => Type::map(inner),
        }
    }

    /// The value when there is no such block; null where the provider decides then.
    pub fn empty(&self) -> Value {
        if self.computed {
            return Value::null(self.ty());
        }
        let inner = self.block.ty();
        match self.nesting {
            Nesting::Single => Value::null(inner),
            Nesting::List => Value::list(inner, Vec::new()),
            Nesting::Set => Value::set(inner, []),
            Nesting::Map => Value::map::<&str>(inner, []),
        }
    }
}
