"""The models, the engine and the migrations. Imports neither Flask nor another of our packages."""
