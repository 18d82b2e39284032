"""The known ways from some rights to more: a row each, with the actions that must all be allowed.

The first 28 bear the numbers of RhinoSecurityLabs' "AWS IAM Privilege Escalation Methods" (state of July 2019). Where
that list names more actions than the way strictly needs, the row has the fewer, so that it is found more often: a role
that trusts the whole account is assumed without `iam:UpdateAssumeRolePolicy`, a notebook runs its start script without
being opened. The others come from what AWS added since; many are told at pathfinding.cloud, as cloudsplaining cites it.
"""

from __future__ import annotations

from dataclasses import dataclass

PASS = "iam:PassRole"  # noqa: S105 -- an action's name


@dataclass(frozen=True)
class Method:
    """One way; `does` ends the sentence "This lets it …". `number` is that of Rhino's list."""

    number: int | None
    name: str
    does: str
    actions: tuple[str, ...]


RHINO = (
    Method(1, "CreatePolicyVersion", "rewrite a policy", ("iam:CreatePolicyVersion",)),
    Method(2, "SetDefaultPolicyVersion", "bring back a wider version of a policy", ("iam:SetDefaultPolicyVersion",)),
    Method(3, "PassRoleToEC2", "start an instance with another role", (PASS, "ec2:RunInstances")),
    Method(4, "CreateAccessKey", "make access keys of other IAM users", ("iam:CreateAccessKey",)),
    Method(5, "CreateLoginProfile", "give other IAM users a password", ("iam:CreateLoginProfile",)),
    Method(6, "UpdateLoginProfile", "change passwords of other IAM users", ("iam:UpdateLoginProfile",)),
    Method(7, "AttachUserPolicy", "attach any policy to IAM users", ("iam:AttachUserPolicy",)),
    Method(8, "AttachGroupPolicy", "attach any policy to groups", ("iam:AttachGroupPolicy",)),
    Method(9, "AttachRolePolicy", "attach any policy to roles", ("iam:AttachRolePolicy",)),
    Method(10, "PutUserPolicy", "write inline policies of IAM users", ("iam:PutUserPolicy",)),
    Method(11, "PutGroupPolicy", "write inline policies of groups", ("iam:PutGroupPolicy",)),
    Method(12, "PutRolePolicy", "write inline policies of roles", ("iam:PutRolePolicy",)),
    Method(13, "AddUserToGroup", "join any group", ("iam:AddUserToGroup",)),
    Method(14, "UpdateAssumeRolePolicy", "let itself into any role", ("iam:UpdateAssumeRolePolicy",)),
    Method(
        15,
        "PassRoleToLambdaAndInvoke",
        "run a Lambda function with another role",
        (PASS, "lambda:CreateFunction", "lambda:InvokeFunction"),
    ),
    Method(
        16,
        "PassRoleToLambdaAcrossAccounts",
        "let another account run a Lambda function with another role",
        (PASS, "lambda:CreateFunction", "lambda:AddPermission"),
    ),
    Method(
        17,
        "PassRoleToLambdaByEvents",
        "have events run a Lambda function with another role",
        (PASS, "lambda:CreateFunction", "lambda:CreateEventSourceMapping"),
    ),
    Method(18, "UpdateFunctionCode", "change the code of Lambda functions", ("lambda:UpdateFunctionCode",)),
    Method(19, "PassRoleToGlueDevEndpoint", "make a Glue endpoint with another role", (PASS, "glue:CreateDevEndpoint")),
    Method(20, "UpdateDevEndpoint", "enter Glue endpoints", ("glue:UpdateDevEndpoint",)),
    Method(21, "PassRoleToCloudFormation", "make a stack with another role", (PASS, "cloudformation:CreateStack")),
    Method(22, "PassRoleToDataPipeline", "make a pipeline with another role", (PASS, "datapipeline:CreatePipeline")),
    Method(
        23,
        "CreateProjectFromTemplate",
        "make a CodeStar project, which comes with rights",
        ("codestar:CreateProjectFromTemplate",),
    ),
    Method(24, "PassRoleToCodeStar", "make a CodeStar project with another role", (PASS, "codestar:CreateProject")),
    Method(
        25,
        "AssociateTeamMember",
        "join a CodeStar project as its owner",
        ("codestar:CreateProject", "codestar:AssociateTeamMember"),
    ),
    Method(
        26,
        "UpdateFunctionConfiguration",
        "put a layer of its own into Lambda functions",
        ("lambda:UpdateFunctionConfiguration",),
    ),
    Method(27, "PassRoleToSageMaker", "make a notebook with another role", (PASS, "sagemaker:CreateNotebookInstance")),
    Method(
        28,
        "CreatePresignedNotebookInstanceUrl",
        "enter notebooks",
        ("sagemaker:CreatePresignedNotebookInstanceUrl",),
    ),
)


def _identity(name: str, does: str, *actions: str) -> Method:
    return Method(None, name, does, actions)


def _passing(name: str, does: str, *actions: str) -> Method:
    return Method(None, name, f"{does} with another role", (PASS, *actions))


SINCE = (
    _identity("UpdateSAMLProvider", "let any SAML provider in", "iam:UpdateSAMLProvider"),
    _identity("CreateSAMLProvider", "make a SAML provider", "iam:CreateSAMLProvider"),
    _identity("CreateOpenIDConnectProvider", "make an OpenID Connect provider", "iam:CreateOpenIDConnectProvider"),
    _identity(
        "UpdateOpenIDConnectProviderThumbprint",
        "let another OpenID Connect provider in",
        "iam:UpdateOpenIDConnectProviderThumbprint",
    ),
    _identity(
        "AddClientIDToOpenIDConnectProvider",
        "let another application in through OpenID Connect",
        "iam:AddClientIDToOpenIDConnectProvider",
    ),
    _identity("TagSession", "give its sessions the tags that rights depend on", "sts:TagSession"),
    _identity("TagUser", "give IAM users the tags that rights depend on", "iam:TagUser"),
    _identity("TagRole", "give roles the tags that rights depend on", "iam:TagRole"),
    _identity("DetachPolicy", "take limits off whole accounts", "organizations:DetachPolicy"),
    _identity("UpdatePolicy", "rewrite the limits of whole accounts", "organizations:UpdatePolicy"),
    _identity("PutInlinePolicyToPermissionSet", "write permission sets", "sso:PutInlinePolicyToPermissionSet"),
    _identity(
        "AttachManagedPolicyToPermissionSet",
        "attach any policy to permission sets",
        "sso:AttachManagedPolicyToPermissionSet",
    ),
    _identity("CreateAccountAssignment", "hand out permission sets", "sso:CreateAccountAssignment"),
    _identity("CreateGroupMembership", "join groups of the identity center", "identitystore:CreateGroupMembership"),
    _identity("SetIdentityPoolRoles", "choose the roles of identity pools", "cognito-identity:SetIdentityPoolRoles"),
    _identity("CreateTrust", "let another directory in", "ds:CreateTrust"),
    _identity("ResetUserPassword", "change passwords in directories", "ds:ResetUserPassword"),
    _identity("DeactivateMFADevice", "take MFA off other IAM users", "iam:DeactivateMFADevice"),
    _identity("DeleteRolePermissionsBoundary", "take boundaries off roles", "iam:DeleteRolePermissionsBoundary"),
    _identity("PutRolePermissionsBoundary", "change the boundaries of roles", "iam:PutRolePermissionsBoundary"),
    _identity("DeleteUserPermissionsBoundary", "take boundaries off IAM users", "iam:DeleteUserPermissionsBoundary"),
    _identity("PutUserPermissionsBoundary", "change the boundaries of IAM users", "iam:PutUserPermissionsBoundary"),
    _identity("DeleteUserPolicy", "take inline denials off IAM users", "iam:DeleteUserPolicy"),
    _identity("DetachUserPolicy", "take denying policies off IAM users", "iam:DetachUserPolicy"),
    _identity("UpdateAccessKey", "make old access keys active again", "iam:UpdateAccessKey"),
    _identity("ResetServiceSpecificCredential", "take over credentials", "iam:ResetServiceSpecificCredential"),
    _identity("CreateServiceSpecificCredential", "make credentials", "iam:CreateServiceSpecificCredential"),
    _identity("UploadSigningCertificate", "upload certificates", "iam:UploadSigningCertificate"),
    _identity("UploadSSHPublicKey", "upload SSH keys", "iam:UploadSSHPublicKey"),
    _passing("PassRoleToLambda", "make a Lambda function", "lambda:CreateFunction"),
    _passing("PassRoleToSpotInstances", "start an instance", "ec2:RequestSpotInstances"),
    _passing("PassRoleToInstance", "equip an instance", "ec2:AssociateIamInstanceProfile"),
    _passing("PassRoleToInstanceAgain", "equip an instance", "ec2:ReplaceIamInstanceProfileAssociation"),
    _passing("PassRoleToECSRun", "run a task", "ecs:RegisterTaskDefinition", "ecs:RunTask"),
    _passing("PassRoleToECSStart", "start a task", "ecs:RegisterTaskDefinition", "ecs:StartTask"),
    _passing("PassRoleToECSService", "make an ECS service", "ecs:RegisterTaskDefinition", "ecs:CreateService"),
    _passing("PassRoleToStackSet", "make stacks", "cloudformation:CreateStackSet"),
    _passing("PassRoleToStackSetUpdate", "change stacks", "cloudformation:UpdateStackSet"),
    _passing("PassRoleToStackUpdate", "change a stack", "cloudformation:UpdateStack"),
    _passing("PassRoleToCodeBuild", "make a build", "codebuild:CreateProject"),
    _passing("PassRoleToCodeBuildUpdate", "change a build", "codebuild:UpdateProject"),
    _passing("PassRoleToGlueJob", "make a Glue job", "glue:CreateJob"),
    _passing("PassRoleToGlueJobUpdate", "change a Glue job", "glue:UpdateJob"),
    _passing("PassRoleToAppRunner", "run an application", "apprunner:CreateService"),
    _passing("PassRoleToCodeInterpreter", "make a code interpreter", "bedrock-agentcore:CreateCodeInterpreter"),
    _passing("PassRoleToTrainingJob", "run a training job", "sagemaker:CreateTrainingJob"),
    _passing("PassRoleToProcessingJob", "run a processing job", "sagemaker:CreateProcessingJob"),
    _passing("PassRoleToStateMachine", "make a state machine", "states:CreateStateMachine"),
    _identity(
        "InvokeCodeInterpreter",
        "enter code interpreters",
        "bedrock-agentcore:StartCodeInterpreterSession",
        "bedrock-agentcore:InvokeCodeInterpreter",
    ),
    _identity(
        "ExecuteChangeSet",
        "change stacks with the roles that they have",
        "cloudformation:CreateChangeSet",
        "cloudformation:ExecuteChangeSet",
    ),
    _identity(
        "ModifyInstanceAttribute",
        "change what instances run when they start",
        "ec2:ModifyInstanceAttribute",
        "ec2:StopInstances",
        "ec2:StartInstances",
    ),
    _identity(
        "ModifyLaunchTemplate",
        "change what new instances run",
        "ec2:CreateLaunchTemplateVersion",
        "ec2:ModifyLaunchTemplate",
    ),
    _identity("SendSSHPublicKey", "enter instances by SSH", "ec2-instance-connect:SendSSHPublicKey"),
    _identity("SendSerialConsoleSSHPublicKey", "enter instances", "ec2-instance-connect:SendSerialConsoleSSHPublicKey"),
    _identity("ExecuteCommand", "run commands in tasks", "ecs:ExecuteCommand"),
    _identity("SendCommand", "run commands on instances", "ssm:SendCommand"),
    _identity("StartSession", "enter instances", "ssm:StartSession"),
    _identity(
        "UpdateNotebookInstance",
        "change what notebooks run when they start",
        "sagemaker:CreateNotebookInstanceLifecycleConfig",
        "sagemaker:UpdateNotebookInstance",
    ),
)
METHODS = RHINO + SINCE

# Of these, rights that reach nobody but oneself are how people look after their own credentials, and no way up.
ON_ONESELF = frozenset(
    {
        "iam:CreateAccessKey", "iam:DeleteAccessKey", "iam:UpdateAccessKey", "iam:ChangePassword",
        "iam:CreateLoginProfile", "iam:UpdateLoginProfile", "iam:DeleteLoginProfile",
        "iam:EnableMFADevice", "iam:DeactivateMFADevice", "iam:ResyncMFADevice",
        "iam:UploadSSHPublicKey", "iam:UpdateSSHPublicKey", "iam:DeleteSSHPublicKey",
        "iam:UploadSigningCertificate", "iam:UpdateSigningCertificate", "iam:DeleteSigningCertificate",
        "iam:CreateServiceSpecificCredential", "iam:UpdateServiceSpecificCredential",
        "iam:ResetServiceSpecificCredential", "iam:DeleteServiceSpecificCredential",
    }
)  # fmt: skip
