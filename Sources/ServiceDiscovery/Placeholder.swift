// ServiceDiscovery
