# `terraform_data` in pairs: `b[k]` refers to `a[k]`. A file beside this one sets `local.pairs`, a multiple of 50.

locals {
  # `range` answers at most 1,024 numbers, so the keys are pairs of numbers.
  keys = toset(flatten([for i in range(local.pairs / 50) : [for j in range(50) : "${i}-${j}"]]))
}

resource "terraform_data" "a" {
  for_each = local.keys
  input    = each.key
}

resource "terraform_data" "b" {
  for_each = local.keys
  input    = terraform_data.a[each.key].output
}
