// KiadaService
