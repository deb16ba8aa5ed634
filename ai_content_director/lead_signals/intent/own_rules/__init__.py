"""A tenant's own rules beside the packaged ones: read, proven by their sentences, and walked together with what all tenants share."""
