"""From a mission's description to the containers and manifests that run it: resolved, validated, written."""
