"""Why a text got its verdict, for a person at a terminal and for programs. Never on the way of a message."""
