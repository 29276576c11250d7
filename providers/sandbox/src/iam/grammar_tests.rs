use super::*;
use crate::testing::world;

fn statement(members: &str) -> String {
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow",{members}}}]}}"#)
}

#[test]
fn identity_policies() {
    for (document, expected) in [
        (statement(r#""Action":"ec2:*","Resource":"*""#), None),
        (statement(r#""NotAction":"iam:*","NotResource":["arn:aws:s3:::b/*"]"#), None),
        (statement(r#""Action":"*","Resource":"arn:aws:iam::*:role/${aws:username}""#), None),
        (
            statement(
                r#""Action":"s3:Get*","Resource":"arn:aws:s3:::*","Condition":{"Bool":{"aws:SecureTransport":true}}"#,
            ),
            None,
        ),
        ("{".to_owned(), Some("Syntax errors in policy.")),
        (r#"{"Version":"2012-10-17"}"#.to_owned(), Some("Syntax errors in policy.")),
        (r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(), Some("Syntax errors in policy.")),
        (
            r#"{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#.to_owned(),
            Some("Policy document must be version 2012-10-17 or greater."),
        ),
        (
            r#"{"Version":"2012-10-17","Statement":{"Action":"*","Resource":"*"}}"#.to_owned(),
            Some("Syntax errors in policy."),
        ),
        (statement(r#""Resource":"*""#), Some("Policy statement must contain actions.")),
        (statement(r#""Action":[],"Resource":"*""#), Some("Policy statement must contain actions.")),
        (statement(r#""Action":"ec2:*""#), Some("Policy statement must contain resources.")),
        (
            statement(r#""Action":"ec2:*","Resource":"*","Principal":"*""#),
            Some("Policy document should not specify a principal."),
        ),
        (
            statement(r#""Action":"DescribeVpcs","Resource":"*""#),
            Some("Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."),
        ),
        (statement(r#""Action":"a:b:c","Resource":"*""#), Some("Actions/Condition can contain only one colon.")),
        (statement(r#""Action":"a b:c","Resource":"*""#), Some("Vendor a b is not valid")),
        (statement(r#""Action":"ec2:*","Resource":"vpc-1""#), Some("Resource vpc-1 must be in ARN format or \"*\".")),
        (
            statement(r#""Action":"ec2:*","Resource":"arn:amazon:ec2:::x""#),
            Some("Partition \"amazon\" is not valid for resource \"arn:amazon:ec2:::x\"."),
        ),
        (
            statement(r#""Action":"ec2:*","Resource":"arn:aws:e*:::x""#),
            Some("Resource vendor must be fully qualified and cannot contain regexes."),
        ),
        (
            statement(r#""Action":"iam:*","Resource":"arn:aws:iam:us-east-1:1:role/x""#),
            Some("IAM resource arn:aws:iam:us-east-1:1:role/x cannot contain region information."),
        ),
        (
            statement(r#""Sid":"a b","Action":"*","Resource":"*""#),
            Some(
                "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*",
            ),
        ),
    ] {
        let told = check_identity_policy(&document).err().map(|error| error.message);
        assert_eq!(told.as_deref(), expected, "{document}");
    }
}

#[test]
fn trust_policies() {
    let world = world();
    let trust = |members: &str| statement(&format!(r#""Action":"sts:AssumeRole",{members}"#));
    for (document, expected) in [
        (trust(r#""Principal":{"Service":"eks.amazonaws.com"}"#), None),
        (trust(r#""Principal":{"Service":["ec2.amazonaws.com","pods.eks.amazonaws.com"]}"#), None),
        (trust(r#""Principal":{"AWS":"123456789012"}"#), None),
        (trust(r#""Principal":{"AWS":"*"}"#), None),
        (trust(r#""Principal":{"AWS":"arn:aws:iam::123456789012:user/sandbox"}"#), None),
        (trust(r#""Principal":{"AWS":"arn:aws:iam::999999999999:role/theirs"}"#), None),
        (
            trust(
                r#""Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/A"}"#,
            ),
            None,
        ),
        (
            trust(r#""Principal":{"AWS":"arn:aws:iam::123456789012:user/nobody"}"#),
            Some("Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:user/nobody\""),
        ),
        (
            trust(r#""Principal":{"AWS":"arn:aws:iam::123456789012:user/*"}"#),
            Some("Invalid principal in policy: \"AWS\":\"arn:aws:iam::123456789012:user/*\""),
        ),
        (trust(r#""Principal":{"AWS":"alice"}"#), Some("Invalid principal in policy: \"AWS\":\"alice\"")),
        (trust(r#""Principal":{"Service":"eks"}"#), Some("Invalid principal in policy: \"SERVICE\":\"eks\"")),
        (
            trust(r#""Principal":{"Federated":"https://issuer"}"#),
            Some("Invalid principal in policy: \"FEDERATED\":\"https://issuer\""),
        ),
        (trust(r#""Principal":{"AWS":"*"},"Resource":"*""#), Some("Has prohibited field Resource")),
        (trust(r#""Sid":"A""#), Some("Missing required field Principal")),
        (statement(r#""Principal":{"AWS":"*"}"#), Some("Missing required field Action")),
        (
            statement(r#""Principal":{"AWS":"*"},"Action":"s3:GetObject""#),
            Some("AssumeRole policy may only specify STS AssumeRole actions."),
        ),
        ("nothing".to_owned(), Some("This policy contains invalid Json")),
        (
            r#"{"Version":"2012-10-17","Statement":[]}"#.to_owned(),
            Some("Could not parse the policy: Statement is empty!"),
        ),
        (r#"{"Version":"2012-10-17","Statements":[]}"#.to_owned(), Some("Unknown field Statements")),
    ] {
        let told = check_trust_policy(&world, &document).err().map(|error| error.message);
        assert_eq!(told.as_deref(), expected, "{document}");
    }
}
