"""The tags with which templates compose the portal's components."""
