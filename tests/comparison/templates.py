"""Launch templates."""

from player import named, tags

UNKNOWN = "lt-0123456789abcdef0"


def play(player):
    ec2 = player.service("ec2")
    data = {
        "InstanceType": "m5.large",
        "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"VolumeSize": 30, "VolumeType": "gp3", "Encrypted": True}}],
        "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 2},
        "TagSpecifications": [{"ResourceType": "instance", "Tags": [{"Key": "Name", "Value": "node"}]}],
    }
    token = {"ClientToken": "comparison-lt"}
    named_tags = {"TagSpecifications": tags("launch-template", Name="nodes")}
    made = ec2("CreateLaunchTemplate", "with tags", LaunchTemplateName="nodes", LaunchTemplateData=data,
               VersionDescription="first", **token, **named_tags)["LaunchTemplate"]["LaunchTemplateId"]
    ec2("CreateLaunchTemplate", "same token", LaunchTemplateName="nodes", LaunchTemplateData=data, VersionDescription="first", **token, **named_tags)
    ec2("CreateLaunchTemplate", "same name", LaunchTemplateName="nodes", LaunchTemplateData=data)
    ec2("CreateLaunchTemplate", "name too short", LaunchTemplateName="n", LaunchTemplateData=data)
    ec2("CreateLaunchTemplate", "name with odd characters", LaunchTemplateName="a b c!", LaunchTemplateData=data)
    ec2("CreateLaunchTemplate", "without data", LaunchTemplateName="empty")
    ec2("CreateLaunchTemplate", "dry run", LaunchTemplateName="dry", LaunchTemplateData=data, DryRun=True)
    versions(ec2, made)
    reading(ec2, made)
    ec2("ModifyLaunchTemplate", "default version", LaunchTemplateId=made, DefaultVersion="2")
    ec2("ModifyLaunchTemplate", "unknown version", LaunchTemplateId=made, DefaultVersion="99")
    ec2("ModifyLaunchTemplate", "unknown", LaunchTemplateId=UNKNOWN, DefaultVersion="1")
    ec2("DescribeLaunchTemplateVersions", "default", LaunchTemplateId=made, Versions=["$Default"])
    ec2("DeleteLaunchTemplateVersions", "one and an unknown one", LaunchTemplateId=made, Versions=["1", "99"])
    ec2("DeleteLaunchTemplateVersions", "the default one", LaunchTemplateId=made, Versions=["2"])
    ec2("DeleteLaunchTemplate", "dry run", LaunchTemplateId=made, DryRun=True)
    ec2("DeleteLaunchTemplate", "plain", LaunchTemplateId=made)
    ec2("DeleteLaunchTemplate", "again", LaunchTemplateId=made)
    ec2("DeleteLaunchTemplate", "unknown name", LaunchTemplateName="nobody")
    ec2("DeleteLaunchTemplate", "malformed", LaunchTemplateId="nonsense")


def versions(ec2, made):
    more = {"InstanceType": "m5.xlarge"}
    make = "CreateLaunchTemplateVersion"
    ec2(make, "from a version", LaunchTemplateId=made, SourceVersion="1", LaunchTemplateData=more, VersionDescription="second")
    ec2(make, "by name, from nothing", LaunchTemplateName="nodes", LaunchTemplateData=more)
    ec2(make, "from an unknown version", LaunchTemplateId=made, SourceVersion="99", LaunchTemplateData=more)
    ec2(make, "unknown", LaunchTemplateId=UNKNOWN, LaunchTemplateData=more)
    ec2(make, "unknown name", LaunchTemplateName="nobody", LaunchTemplateData=more)
    ec2(make, "dry run", LaunchTemplateId=made, LaunchTemplateData=more, DryRun=True)


def reading(ec2, made):
    read = "DescribeLaunchTemplates"
    ec2(read, "by id", LaunchTemplateIds=[made])
    ec2(read, "by name", LaunchTemplateNames=["nodes"])
    ec2(read, "by filter", Filters=[named("launch-template-name", "nodes")])
    ec2(read, "by tag", Filters=[named("tag:Name", "nodes"), named("launch-template-name", "nodes")])
    ec2(read, "nothing matches", Filters=[named("launch-template-name", "nobody")])
    ec2(read, "unknown", LaunchTemplateIds=[UNKNOWN])
    ec2(read, "unknown name", LaunchTemplateNames=["nobody"])
    ec2(read, "malformed", LaunchTemplateIds=["nonsense"])
    ec2(read, "unknown filter", Filters=[named("nonsense", "x")])
    ec2(read, "dry run", DryRun=True)
    read = "DescribeLaunchTemplateVersions"
    ec2(read, "all", LaunchTemplateId=made)
    ec2(read, "first", LaunchTemplateId=made, Versions=["1"])
    ec2(read, "merged", LaunchTemplateId=made, Versions=["2"])
    ec2(read, "latest", LaunchTemplateId=made, Versions=["$Latest"])
    ec2(read, "by name", LaunchTemplateName="nodes", Versions=["3"])
    ec2(read, "latest of all", Versions=["$Latest"], Filters=[named("instance-type", "nobody")])
    ec2(read, "range", LaunchTemplateId=made, MinVersion="2", MaxVersion="3")
    ec2(read, "unknown version", LaunchTemplateId=made, Versions=["99"])
    ec2(read, "no version", LaunchTemplateId=made, Versions=["nonsense"])
    ec2(read, "unknown", LaunchTemplateId=UNKNOWN)
    ec2(read, "unknown name", LaunchTemplateName="nobody")
    ec2(read, "dry run", LaunchTemplateId=made, DryRun=True)
