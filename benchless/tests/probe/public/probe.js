console.log("probe")
