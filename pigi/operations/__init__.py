"""Operations: what users, operators and jobs do, one package for each noun (docs/architecture.md)."""
