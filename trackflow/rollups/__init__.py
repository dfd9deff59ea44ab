"""Daily figures: costs and credits of each day, by what they were for."""
