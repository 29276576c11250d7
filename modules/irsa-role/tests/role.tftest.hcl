# Who may assume the role, without an account: sgp test in this folder.

mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/backend" }
  }
}

variables {
  name              = "backend"
  namespace         = "app"
  service_account   = "backend"
  oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0A1B"
  oidc_provider_url = "https://oidc.eks.eu-west-1.amazonaws.com/id/0A1B"
}

run "one_account_may_assume_it" {
  command = plan

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition == {
      StringEquals = {
        "oidc.eks.eu-west-1.amazonaws.com/id/0A1B:aud" = "sts.amazonaws.com"
        "oidc.eks.eu-west-1.amazonaws.com/id/0A1B:sub" = "system:serviceaccount:app:backend"
      }
    }
    error_message = "The trust policy is ${aws_iam_role.this.assume_role_policy}."
  }

  assert {
    condition     = aws_iam_role.this.description == "Service account app/backend"
    error_message = "The description does not say whose role it is."
  }
}

# StringEquals would take the star literally, and nobody could assume the role.
run "a_pattern_is_compared_as_one" {
  command = plan

  variables {
    service_account = "backend-*"
  }

  assert {
    condition = jsondecode(aws_iam_role.this.assume_role_policy).Statement[0].Condition.StringLike == {
      "oidc.eks.eu-west-1.amazonaws.com/id/0A1B:sub" = "system:serviceaccount:app:backend-*"
    }
    error_message = "The trust policy is ${aws_iam_role.this.assume_role_policy}."
  }
}

run "policies_are_attached_and_the_account_is_told" {
  variables {
    policy_arns     = { read = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess" }
    inline_policies = { queue = "{}" }
  }

  assert {
    condition     = aws_iam_role_policy_attachment.this["read"].role == "backend" && aws_iam_role_policy.this["queue"].role == "backend"
    error_message = "The policies are not the role's."
  }

  assert {
    condition     = output.service_account_annotations["eks.amazonaws.com/role-arn"] == output.arn
    error_message = "The annotation names another role."
  }
}

run "sessions_have_bounds" {
  command = plan

  variables {
    max_session_duration = 60
  }

  expect_failures = [var.max_session_duration]
}
