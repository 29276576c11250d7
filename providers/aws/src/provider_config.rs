//! The arguments of `provider "aws"`.

use std::sync::LazyLock;

use sgp_model::{Attribute, Block, NestedBlock, Schema};

/// The schema of the provider block. Arguments that have no meaning here (`skip_*`) are accepted, so that an existing block works.
pub fn schema() -> &'static Schema {
    static SCHEMA: LazyLock<Schema> = LazyLock::new(build);
    &SCHEMA
}

fn build() -> Schema {
    let base = Schema::new("aws", "Amazon Web Services: EC2, EKS, IAM and STS of one account and region.")
        .attr(
            "region",
            Attribute::string()
                .optional()
                .doc("The region; otherwise AWS_REGION, AWS_DEFAULT_REGION or the profile's."),
        )
        .attr("profile", Attribute::string().optional().doc("The profile in the shared configuration files."))
        .attr("access_key", Attribute::string().optional().doc("An access key id; goes together with `secret_key`."))
        .attr("secret_key", Attribute::string().optional().sensitive().doc("The secret of `access_key`."))
        .attr("token", Attribute::string().optional().sensitive().doc("The session token of `access_key`."))
        .attr("shared_config_files", Attribute::strings().optional().doc("Paths in place of `~/.aws/config`."))
        .attr(
            "shared_credentials_files",
            Attribute::strings().optional().doc("Paths in place of `~/.aws/credentials`."),
        )
        .attr(
            "max_retries",
            Attribute::number().optional().doc("How often a call is repeated; otherwise AWS_MAX_ATTEMPTS - 1, or 25."),
        )
        .attr(
            "retry_mode",
            Attribute::string()
                .optional()
                .doc("`adaptive` (the default: a token bucket for each endpoint follows throttling) or `standard`."),
        )
        .attr(
            "token_bucket_rate_limiter_capacity",
            Attribute::number().optional().doc("How many retries may be under way; unlimited by default."),
        )
        .attr(
            "allowed_account_ids",
            Attribute::string_set().optional().doc("Account ids that may be worked on; others are refused."),
        )
        .attr(
            "forbidden_account_ids",
            Attribute::string_set().optional().doc("Account ids that must not be worked on."),
        )
        .attr("use_fips_endpoint", Attribute::bool().optional().doc("Whether to call FIPS endpoints."))
        .attr("use_dualstack_endpoint", Attribute::bool().optional().doc("Whether to call dual-stack endpoints."))
        .attr(
            "sts_region",
            Attribute::string().optional().doc("The region whose STS endpoint is called; otherwise `region`."),
        );
    let skipped = [
        "skip_credentials_validation",
        "skip_metadata_api_check",
        "skip_region_validation",
        "skip_requesting_account_id",
    ];
    skipped
        .into_iter()
        .fold(base, |schema, name| {
            let ty = if name == "skip_metadata_api_check" { Attribute::string() } else { Attribute::bool() };
            schema.attr(name, ty.optional().doc("Accepted for Terraform's sake; without meaning here."))
        })
        .attr("s3_use_path_style", Attribute::bool().optional().doc("Accepted for Terraform's sake; S3 is not called."))
        .block(
            "assume_role",
            NestedBlock::list(assume_role()).doc("A role to assume; several are assumed one after the other."),
        )
        .block(
            "assume_role_with_web_identity",
            NestedBlock::list_of_one(web_identity())
                .doc("A role to assume with an OIDC token; no other credentials are needed."),
        )
        .block(
            "endpoints",
            NestedBlock::set(endpoints()).doc("URLs in place of AWS's own; they win over AWS_ENDPOINT_URL*."),
        )
        .block(
            "default_tags",
            NestedBlock::list_of_one(
                Block::default()
                    .attr("tags", Attribute::string_map().optional().doc("Tags for everything that can have tags.")),
            )
            .doc("Tags that every object gets unless it says otherwise."),
        )
        .block("ignore_tags", NestedBlock::list_of_one(ignore_tags()).doc("Tags of others, neither shown nor touched."))
        .unsupported(&[
            "custom_ca_bundle",
            "ec2_metadata_service_endpoint",
            "ec2_metadata_service_endpoint_mode",
            "http_proxy",
            "https_proxy",
            "insecure",
            "no_proxy",
            "s3_us_east_1_regional_endpoint",
            "tag_policy_compliance",
            "user_agent",
        ])
        .iam_actions(&["sts:GetCallerIdentity"])
        .example("provider \"aws\" {\n  region = \"eu-central-1\"\n}\n")
}

fn assume_role() -> Block {
    session(Block::default())
        .attr(
            "external_id",
            Attribute::string().optional().doc("What the role's trust policy asks for as `sts:ExternalId`."),
        )
        .attr("source_identity", Attribute::string().optional().doc("The identity to be logged with every call."))
        .attr("tags", Attribute::string_map().optional().doc("Session tags."))
        .attr("transitive_tag_keys", Attribute::string_set().optional().doc("Session tags that further roles inherit."))
}

fn web_identity() -> Block {
    session(Block::default())
        .attr("web_identity_token", Attribute::string().optional().sensitive().doc("The token itself."))
        .attr(
            "web_identity_token_file",
            Attribute::string().optional().doc("A file with the token; read again when credentials expire."),
        )
}

fn session(block: Block) -> Block {
    block
        .attr("role_arn", Attribute::string().optional().doc("The ARN of the role."))
        .attr("session_name", Attribute::string().optional().doc("The name of the session; `sgp` by default."))
        .attr(
            "duration",
            Attribute::string().optional().doc("How long the session lasts: `1h`; the role's default otherwise."),
        )
        .attr("policy", Attribute::string().optional().doc("A JSON policy that narrows the session."))
        .attr("policy_arns", Attribute::string_set().optional().doc("ARNs of policies that narrow the session."))
}

fn endpoints() -> Block {
    let called = ["ec2", "eks", "iam", "sts"].into_iter().fold(Block::default(), |block, service| {
        block.attr(service, Attribute::string().optional().doc("The URL of this service."))
    });
    NOT_CALLED.iter().fold(called, |block, service| {
        block.attr(service, Attribute::string().optional().doc("Accepted for Terraform's sake; not called."))
    })
}

/// Services that blocks for emulators name beside those that are called.
const NOT_CALLED: &[&str] = &[
    "acm",
    "apigateway",
    "apigatewayv2",
    "autoscaling",
    "cloudformation",
    "cloudfront",
    "cloudwatch",
    "cloudwatchevents",
    "cloudwatchlogs",
    "dynamodb",
    "ecr",
    "ecs",
    "elasticache",
    "elasticloadbalancing",
    "elb",
    "elbv2",
    "eventbridge",
    "firehose",
    "kinesis",
    "kms",
    "lambda",
    "logs",
    "organizations",
    "rds",
    "redshift",
    "resourcegroups",
    "route53",
    "route53resolver",
    "s3",
    "s3api",
    "s3control",
    "secretsmanager",
    "ses",
    "sfn",
    "sns",
    "sqs",
    "ssm",
    "stepfunctions",
    "sso",
    "ssoadmin",
];

fn ignore_tags() -> Block {
    Block::default()
        .attr("keys", Attribute::string_set().optional().doc("Keys."))
        .attr("key_prefixes", Attribute::string_set().optional().doc("Beginnings of keys."))
}
