// ServiceRouting
