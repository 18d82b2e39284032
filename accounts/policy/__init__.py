"""IAM's policy documents, understood well enough to say what a grant carries. No Django, no AWS."""
