#another
variable   "a"   {
type=string
  default     =   "x"
    description="longer thing"   // trailing
  validation {
condition=length(var.a)>3&&!can(regex("x",var.a))
      error_message="bad ${ var.a } and ${~ upper( var.b ) ~} end"
  }
}


resource "aws_vpc" main {
 count=var.enabled?1:0
 cidr_block=cidrsubnet(var.cidr,8,count.index)
 legacy="${var.x}"

 tags={
  Name="x"
  "long key"=1
  (local.k)=2
  a:1
 }
 list=[
 1,2,
   3 ,
      {a=1
b=2}
 ]
 y = - var.z
 z=a-b
 f=foo(a,b...)
 g=[for k,v in var.m:k if v!=null]
 h={for k,v in var.m:k=>v...}
 heredoc=<<EOT
   keep   this
 ${  a+b  }
EOT
 after=1
 indented = <<-EOT
     foo
   bar
   EOT
   /* block
      comment */
 inline=1 /* c */
 s="a"
 single { a = 1 }
 empty {}
 long_condition=(var.a?
   1:
   2)
 math=(1+2)*3/4%5
 func=merge(
 var.a,
     {b=1},
 )
 nested=foo({
 a=1
 bbb=2
 })
 dynamic "x" {
 for_each=var.y
 content {
 name=x.value
 }
 }
}
locals{
a=1
bb=2 # c1
ccc=3 # c2
# own line
dddd=4

e=5
ffffff=[
1
]
g=6
hhhhh=7
}
output "o" {value=local.a}
