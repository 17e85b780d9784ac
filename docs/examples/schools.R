# Which schools were damaged, how badly, and how many are whole again: by readr and sf.
#
#     REGISTER=https://register.example.org Rscript schools.R

library(readr)

register <- Sys.getenv("REGISTER", "https://register.example.org")
filter <- "kind=building&type=school"

# The register says itself what its columns are: codes stay text, days and moments become times.
source(paste0(register, "/data/columns.R"))
file <- tempfile(fileext = ".csv")
download.file(paste0(register, "/reports.csv?", filter), file, quiet = TRUE)
schools <- read_csv(file, col_types = reports, na = "")

# A row is one damage; a building that was struck twice has one asset. Without one, the report stands for it.
schools$building <- ifelse(is.na(schools$asset), schools$reference, schools$asset)
# What has no region or no grade is a group too.
groups <- split(schools, list(addNA(schools$adm1_name), addNA(schools$damage_level)), drop = TRUE)
table <- do.call(rbind, lapply(groups, function(some) data.frame(
  region = some$adm1_name[1],
  level = some$damage_level[1],
  damage = nrow(some),
  buildings = length(unique(some$building)),
  repaired = sum(!is.na(some$repaired_on))
)))
print(table, row.names = FALSE)

# Where they are: those whose place is shown.
places <- tempfile(fileext = ".geojson")
download.file(paste0(register, "/reports.geojson?", filter), places, quiet = TRUE)
map <- sf::st_read(places, quiet = TRUE)
cat(sum(!sf::st_is_empty(map)), "of", nrow(map), "have a point\n")
