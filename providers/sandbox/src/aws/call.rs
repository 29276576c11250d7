//! One call to an AWS service.

use serde_json::Value;

use super::{ApiError, Params};
use crate::world::World;

/// A service that the sandbox has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Service {
    /// Query protocol of EC2, version 2016-11-15.
    Ec2,
    /// Query protocol, version 2010-05-08.
    Iam,
    /// Query protocol, version 2011-06-15.
    Sts,
    /// REST and JSON, version 2017-11-01.
    Eks,
}

impl Service {
    /// The name in signatures, endpoints and IAM actions.
    pub fn name(self) -> &'static str {
        match self {
            Self::Ec2 => "ec2",
            Self::Iam => "iam",
            Self::Sts => "sts",
            Self::Eks => "eks",
        }
    }

    /// The service of this name.
    pub fn named(name: &str) -> Option<Self> {
        [Self::Ec2, Self::Iam, Self::Sts, Self::Eks].into_iter().find(|service| service.name() == name)
    }

    /// Its operations.
    pub fn operations(self) -> &'static [&'static [Operation]] {
        match self {
            Self::Ec2 => crate::ec2::OPERATIONS,
            Self::Iam => crate::iam::OPERATIONS,
            Self::Sts => crate::sts::OPERATIONS,
            Self::Eks => crate::eks::OPERATIONS,
        }
    }

    /// The operation of this name (`CreateVpc`).
    pub fn operation(self, name: &str) -> Option<&'static Operation> {
        self.operations().iter().flat_map(|some| some.iter()).find(|operation| operation.name == name)
    }
}

/// What an operation answers: the members of AWS's result, named as on the wire. `null` members are left out; lists become
/// `item` (EC2) or `member` (IAM, STS) elements.
pub type Answer = Result<Value, ApiError>;

/// One operation of a service. `run` checks everything before it changes anything.
#[derive(Debug)]
pub struct Operation {
    /// The name as in AWS's reference.
    pub name: &'static str,
    /// Does it.
    pub run: fn(&mut World, &Call) -> Answer,
}

impl Operation {
    /// Does it. With EC2's `DryRun` it is done as well and then refused with `DryRunOperation`, so that whoever runs the
    /// transaction undoes it: every operation can be tried so, and says what would have been wrong.
    ///
    /// # Errors
    /// Those of the operation, and `DryRunOperation` with status 412.
    pub fn answer(&self, world: &mut World, call: &Call) -> Answer {
        let answer = (self.run)(world, call)?;
        if call.service == Service::Ec2 && call.boolean("DryRun")? == Some(true) {
            let message = "Request would have succeeded, but DryRun flag is set.";
            return Err(ApiError::new("DryRunOperation", message).with_status(412));
        }
        Ok(answer)
    }
}

/// Who calls.
#[derive(Clone, Debug)]
pub struct Caller {
    /// `arn:aws:iam::123456789012:user/alice`, `arn:aws:sts::123456789012:assumed-role/role/session`.
    pub arn: String,
    /// The unique id, `AIDA...`; `AROA...:session` for a role's session.
    pub user_id: String,
    /// The account.
    pub account: String,
    /// The access key that signed.
    pub access_key: String,
}

/// One call.
#[derive(Debug)]
pub struct Call {
    /// The service.
    pub service: Service,
    /// The operation.
    pub operation: &'static str,
    /// What was sent: query parameters as a tree, or path, query and body of a REST call as one object.
    pub params: Params,
    /// Who calls.
    pub caller: Caller,
    /// The region of the signature.
    pub region: String,
    /// The id told in the answer.
    pub request_id: String,
}

impl std::ops::Deref for Call {
    type Target = Params;

    fn deref(&self) -> &Params {
        &self.params
    }
}
